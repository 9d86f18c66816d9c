/** The core's dispatch of VMI calls, made from the table; scripts/build.mjs writes it. */
import { CALLS, type Call, type Place } from './calls';

const PLACES: Record<Place, string> = {
  eax: 'load<u32>(EAX)',
  edx: 'load<u32>(EDX)',
  ecx: 'load<u32>(ECX)',
  stack0: 'read32(frame)',
  stack1: 'read32(frame + 4)',
};

function caseOf(call: Call): string {
  const given = call.arguments.map(({ at }) => PLACES[at]);
  if (call.served === 'host') {
    while (given.length < 5) given.push('0');
    const invocation = `vmi_host(${call.number}, ${given.join(', ')})`;
    return result(call, invocation);
  }
  return result(call, `vmi_${call.name}(${given.join(', ')})`);
}

function result(call: Call, invocation: string): string {
  if (call.result === 'eax') return `store<u32>(EAX, <u32>${invocation})`;
  if (call.result === 'edx:eax') return `setPair(${invocation})`;
  return invocation;
}

export function vmiSource(): string {
  const core = CALLS.filter(({ served }) => served === 'core').map(({ name }) => `vmi_${name}`);
  const cases = CALLS.filter(({ served }) => served !== 'nobody').map(
    (call) => `    case ${call.number}: // ${call.name}\n      ${caseOf(call)};\n      break;`,
  );
  const numberOf = (name: string) => CALLS.find((call) => call.name === name)!.number;
  return `// Generated from host/vmi/calls.ts.
import { EAX, ECX, EDX } from '../shared/layout';
import { read32 } from '../mem/access';
import { ${core.join(', ')} } from '../paravirt/calls';
import { vmi_host } from '../paravirt/machine';

export const VMI_CALLS: u32 = ${CALLS.length};
export const VMI_IRET: u32 = ${numberOf('IRET')};
export const VMI_SYSEXIT: u32 = ${numberOf('SYSEXIT')};

function setPair(value: u64): void {
  store<u32>(EAX, <u32>value);
  store<u32>(EDX, <u32>(value >> 32));
}

/** Makes call \`number\` with the arguments in the registers and from \`frame\` on the stack. */
export function vmiDispatch(number: u32, frame: u32): void {
  switch (number) {
${cases.join('\n')}
  }
}

export { vmi_host, ${core.join(', ')} };
`;
}
