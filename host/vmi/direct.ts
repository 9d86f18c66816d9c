/** The VMI calls as the translator makes them (jit/paravirt.ts), from the table. */
import type { DirectCall } from '../../jit/paravirt';
import { CALLS } from './calls';
import { callAt } from './rom';

/** Export of the core that passes a call on to the machine: number and five words. */
const HOST = 'vmi_host';
const HOST_ARGUMENTS = 5;

const DIRECT: readonly DirectCall[] = CALLS.map((call): DirectCall => {
  const { after, inline, neverFaults, number, quick, result, served } = call;
  const given: DirectCall['arguments'] = call.arguments.map(({ at }) => at);
  const host = served === 'host';
  return {
    number,
    function: host ? HOST : `vmi_${call.name}`,
    arguments: host
      ? [number, ...given, ...new Array<number>(HOST_ARGUMENTS - given.length).fill(0)]
      : given,
    result,
    wide: host || result === 'edx:eax',
    after,
    neverFaults,
    inline,
    quick: quick ? `vmi_quick_${call.name}` : undefined,
  };
});

export function directCallAt(physical: number): DirectCall | undefined {
  const call = callAt(physical);
  return call && DIRECT[call.number];
}
