/**
 * The interpreter's cases, composed from the rows: operand fetch, the operation's function, the
 * result, the flags. Written out as text because asc then inlines every step: choosing the operand
 * shape at run time measured 2.4 times slower.
 *
 * The main function (bank `hot`) returns at a fault; the other banks throw.
 */
import { BANKS, CODES, bankStart, type Bank, type Code } from '../codes.ts';
import type { Source } from '../operation.ts';

const RECORD = { r1: 2, r2: 3, base: 4, index: 5, scale: 6, disp: 8, imm: 12 };

/** What one case has fetched so far. */
interface Case {
  code: Code;
  hot: boolean;
  lines: string[];
  functions: Set<string>;
  ea: boolean;
  read: boolean;
}

const typeOf = (bits: number) => `i${bits}`;

/**
 * A load, sign-extended to i32 from 8 and 16 bits. Of 32 bits it must be a load<u32>: Binaryen makes
 * a zero-extension of a load<i32> to 64 bits into i64.load32_s.
 */
function load(bits: number, address: string): string {
  return bits === 32 ? `<i32>load<u32>(${address})` : `<i32>load<${typeOf(bits)}>(${address})`;
}

function slot(field: 'r1' | 'r2'): string {
  return `load<u8>(rp, ${RECORD[field]})`;
}

function needEa(c: Case): void {
  if (c.ea) return;
  c.ea = true;
  c.lines.push(
    'const ea: u32 = load<u32>(<u32>load<u8>(rp, 4), REGS) + (load<u32>(<u32>load<u8>(rp, 5), REGS) << load<u8>(rp, 6)) + load<u32>(rp, 8);',
  );
  const align = c.code.operation.align;
  if (align) c.lines.push(`if (ea & ${align - 1}) raiseGP(0);`);
}

const FAULTED = 'if (load<u32>(FAULT_PENDING)) return faulted(rp, budget);';

/** Memory operand into `m`; for a read-modify-write, `hit` and `p` stay for the store. */
function readMemory(c: Case, bits: number): void {
  if (c.read) return;
  c.read = true;
  needEa(c);
  const bytes = bits / 8;
  const modify = c.code.form.result !== null && /^m(:|$)/.test(c.code.form.result);
  if (bits > 32) {
    c.lines.push(bits === 64 ? 'const m: u64 = read64(ea);' : 'const m: v128 = read128(ea);');
    return;
  }
  if (!c.hot) {
    if (modify) c.lines.push(`probeWrite(ea, ${bytes});`);
    c.lines.push(`const m: i32 = <i32><${typeOf(bits)}>read${bits}(ea);`);
    return;
  }
  const end = bytes > 1 ? `(ea + ${bytes - 1})` : 'ea';
  const tag = modify ? 'TLB_WRITE' : 'TLB_READ';
  c.lines.push(`const e: u32 = tlb + ((ea >>> 8) & 0xfffff0);`, `let m: i32;`);
  if (modify) {
    c.lines.push(
      `const hit = load<u32>(e, ${tag}) == (${end} | 0xfff);`,
      `const p: u32 = ea + load<u32>(e, TLB_ADDEND);`,
      `if (hit) m = ${load(bits, 'p')};`,
      `else { m = <i32><${typeOf(bits)}>slowModify${bits}(ea); ${FAULTED} }`,
    );
  } else {
    c.lines.push(
      `if (load<u32>(e, ${tag}) == (${end} | 0xfff)) m = ${load(bits, 'ea + load<u32>(e, TLB_ADDEND)')};`,
      `else { m = <i32><${typeOf(bits)}>slowRead${bits}(ea); ${FAULTED} }`,
    );
  }
}

/** Reads the word at the top of the stack into `top`. */
function readStack(c: Case, at: string): void {
  if (!c.hot) {
    c.lines.push(`const sp: u32 = ${at};`, `const top: i32 = read32(sp);`);
    return;
  }
  c.lines.push(
    `const sp: u32 = ${at};`,
    `const se: u32 = tlb + ((sp >>> 8) & 0xfffff0);`,
    `let top: i32;`,
    `if (load<u32>(se, TLB_READ) == ((sp + 3) | 0xfff)) top = <i32>load<u32>(sp + load<u32>(se, TLB_ADDEND));`,
    `else { top = slowRead32(sp); ${FAULTED} }`,
  );
}

function pushValue(c: Case, value: string): void {
  if (!c.hot) {
    c.lines.push(`const sp: u32 = load<u32>(ESP) - 4;`, `write32(sp, ${value});`);
  } else {
    c.lines.push(
      `const sp: u32 = load<u32>(ESP) - 4;`,
      `const se: u32 = tlb + ((sp >>> 8) & 0xfffff0);`,
      `if (load<u32>(se, TLB_WRITE) == ((sp + 3) | 0xfff)) store<u32>(sp + load<u32>(se, TLB_ADDEND), ${value});`,
      `else { slowWrite32(sp, ${value}); ${FAULTED} }`,
    );
  }
  c.lines.push(`store<u32>(ESP, sp);`);
}

/** The expression of a source; pushes whatever must be computed first. */
function source(c: Case, token: Source): string {
  const { size } = c.code;
  const [name, width] = token.split(':') as [string, string | undefined];
  const bits = width ? parseInt(width) : size;
  switch (name) {
    case 'r1':
    case 'r2':
      return load(bits, `<u32>${slot(name)}, REGS`);
    case 'm':
      if (width?.endsWith('x')) {
        readMemory(c, bits);
        return bits === 64
          ? 'i64x2.replace_lane(i64x2.splat(0), 0, m)'
          : 'i32x4.replace_lane(i32x4.splat(0), 0, m)';
      }
      readMemory(c, bits);
      return 'm';
    case 'imm':
      return `<i32>load<u32>(rp, ${RECORD.imm})`;
    case 'ea':
      needEa(c);
      return 'ea';
    case 'rp':
      return 'rp';
    case 'cf':
      return 'carry()';
    case 'eflags':
      return '<i32>getFlags()';
    case 'eflags32':
      return '<i32>(getEflags() & 0xfcffff)';
    case 'cc':
      return condition(c.code.operation.cc!);
    case 'acc':
      return load(bits, 'EAX');
    case 'ah':
      return '<i32>load<u8>(EAX, 1)';
    case 'ecx':
      return load(32, 'ECX');
    case 'AX':
      return '<i32>load<i16>(EAX)';
    case 'DX':
      return '<i32>((load<u32>(EDX) << 16) | load<u16>(EAX))';
    case 'EDX':
      return '<i64>((<u64>load<u32>(EDX) << 32) | <u64>load<u32>(EAX))';
    case 'x1':
    case 'x2':
      return `v128.load(XMM + <i32>${slot(name === 'x1' ? 'r1' : 'r2')})`;
    case 'mm1':
    case 'mm2':
      return `load<u64>(FPU_REGS + <i32>${slot(name === 'mm1' ? 'r1' : 'r2')})`;
    case 'pop':
      readStack(c, 'load<u32>(ESP)');
      return 'top';
    case 'leave':
      readStack(c, 'load<u32>(EBP)');
      return 'top';
    default:
      throw new Error(`isa: source ${token} of ${c.code.name}`);
  }
}

const CONDITION_PAIRS = ['of_any', 'cf_any', 'zf_any', 'be', 'sf_any', 'pf_any', 'lt_any', 'le'];

/** A condition from the flags in memory, without a switch on its number. */
function condition(cc: number): string {
  const lazy =
    '(load<i32>(FLAG_KIND), load<i32>(FLAG_RESULT), load<i32>(FLAG_A), load<i32>(FLAG_B))';
  const base = CONDITION_PAIRS[cc >> 1]!;
  const value =
    base === 'be'
      ? `(cf_any${lazy} | zf_any${lazy})`
      : base === 'le'
        ? `(lt_any${lazy} | zf_any${lazy})`
        : `${base}${lazy}`;
  return cc & 1 ? `(${value} ^ 1)` : value;
}

function typeOfSource(token: Source): string {
  if (/^x[12]|:128|:\d+x$/.test(token)) return 'v128';
  if (/^mm|:64$/.test(token)) return 'u64';
  if (token === 'EDX:EAX') return 'i64';
  return 'i32';
}

/** Type of a result by its sink. */
function typeOfSink(sink: string | null): string {
  if (sink === null) return 'i32';
  if (/^x|:128/.test(sink)) return 'v128';
  if (/^mm|^m:64/.test(sink)) return 'u64';
  if (sink === 'EDX:EAX') return 'i64';
  return 'i32';
}

function store(c: Case, sink: string, value: string): void {
  const { size } = c.code;
  const [name, width] = sink.split(':') as [string, string | undefined];
  const bits = width ? parseInt(width) : size;
  switch (name) {
    case 'r1':
    case 'r2':
      c.lines.push(
        `store<${typeOf(bits)}>(<u32>${slot(name)}, <${typeOf(bits)}>(${value}), REGS);`,
      );
      return;
    case 'acc':
      c.lines.push(`store<${typeOf(bits)}>(EAX, <${typeOf(bits)}>(${value}));`);
      return;
    case 'AH':
      c.lines.push(`store<u8>(EAX, ${value}, 1);`);
      return;
    case 'AX':
      c.lines.push(`store<u16>(EAX, ${value});`);
      return;
    case 'DX':
      c.lines.push(`store<u16>(EAX, ${value});`, `store<u16>(EDX, ${value} >>> 16);`);
      return;
    case 'EDX':
      if (width) {
        c.lines.push(`store<u32>(EAX, <u32>${value});`, `store<u32>(EDX, <u32>(${value} >> 32));`);
      } else {
        c.lines.push(`store<${typeOf(size)}>(EDX, <${typeOf(size)}>${value});`);
      }
      return;
    case 'EBP':
      c.lines.push(`store<u32>(EBP, ${value});`);
      return;
    case 'x1':
      c.lines.push(`v128.store(XMM + <i32>${slot('r1')}, ${value});`);
      return;
    case 'mm1':
      c.lines.push(`store<u64>(FPU_REGS + <i32>${slot('r1')}, ${value});`);
      c.lines.push(`store<u16>(FPU_REGS + <i32>${slot('r1')}, 0xffff, 8);`);
      return;
    case 'push':
      pushValue(c, value);
      return;
    case 'm': {
      needEa(c);
      if (bits > 32 || !c.hot) {
        c.lines.push(`write${bits}(ea, ${value});`);
        return;
      }
      const bytes = bits / 8;
      if (c.read) {
        c.lines.push(
          `if (hit) store<${typeOf(bits)}>(p, <${typeOf(bits)}>(${value})); else slowWrite${bits}(ea, ${value});`,
        );
        return;
      }
      const end = bytes > 1 ? `(ea + ${bytes - 1})` : 'ea';
      c.lines.push(
        `const e: u32 = tlb + ((ea >>> 8) & 0xfffff0);`,
        `if (load<u32>(e, TLB_WRITE) == (${end} | 0xfff)) store<${typeOf(bits)}>(ea + load<u32>(e, TLB_ADDEND), <${typeOf(bits)}>(${value}));`,
        `else { slowWrite${bits}(ea, ${value}); ${FAULTED} }`,
      );
      return;
    }
    default:
      throw new Error(`isa: sink ${sink} of ${c.code.name}`);
  }
}

const LETTERS = ['a', 'b', 'c', 'd'];

function functionName(c: Case, name: string): string {
  const whole = name.replace('%', String(c.code.size));
  c.functions.add(whole);
  return whole;
}

function flagLines(c: Case): string[] {
  const { flags } = c.code.operation;
  if (!flags) return [];
  const set = (kind: string, r: string, a: string | null, b: string) => [
    `store<u32>(FLAG_KIND, ${kind});`,
    `store<u32>(FLAG_RESULT, ${r});`,
    ...(a === null ? [] : [`store<u32>(FLAG_A, ${a});`]),
    `store<u32>(FLAG_B, ${b});`,
  ];
  if (flags === 'LOGIC') return set('KIND_CO', 'r', null, '0');
  if (flags === 'NEG') return set('KIND_SUB', 'r', '0', 'a');
  if (typeof flags === 'string') return set(`KIND_${flags}`, 'r', 'a', 'b');
  if ('sub' in flags) {
    const [x, y] = flags.sub;
    const r = cut(c, `(${x} - ${y})`);
    return set('KIND_SUB', r, x, y);
  }
  const text = 'co' in flags ? flags.co : flags.bits;
  const [, name, list] = /^([\w%]+)\((.*)\)$/.exec(text)!;
  const args = list!
    .split(',')
    .map((token) => token.trim())
    .map((token) => (token.length === 1 ? token : source(c, token)));
  const call = `${functionName(c, name!)}(${args.join(', ')})`;
  if ('co' in flags) {
    // A function of what was there before must see it before anything is overwritten.
    return [`const co: i32 = ${call};`, ...set('KIND_CO', '<u32>r', null, 'co')];
  }
  // Rotations leave ZF, SF, PF and AF: those stay as they are kept: the integer loop takes 0.76.
  if (/^ro[lr]_bits/.test(name!)) {
    return [`if (b & 31) setRotated(${functionName(c, name!)}(b, r, 0));`];
  }
  return [
    `const bits: i32 = ${call};`,
    `store<u32>(FLAG_KIND, KIND_BITS);`,
    `store<u32>(FLAG_B, bits);`,
  ];
}

function cut(c: Case, value: string): string {
  return c.code.size === 8 || c.code.size === 16 ? `<i32><i${c.code.size}>(${value})` : value;
}

/** Does the result need cutting to 8 or 16 bits for the flags? AND, OR, XOR of extended operands do not. */
function needsCut(c: Case): boolean {
  // The accumulator's double width has its flags from the whole of it.
  if (/^(AX|DX:AX|EDX:EAX)$/.test(c.code.form.result ?? '')) return false;
  return (
    (c.code.size === 8 || c.code.size === 16) &&
    c.code.operation.flags !== 'LOGIC' &&
    !!c.code.operation.flags
  );
}

function body(code: Code, functions: Set<string>): string {
  const { operation, form } = code;
  const c: Case = { code, hot: code.bank === 'hot', lines: [], functions, ea: false, read: false };
  if (operation.control) return control(c);
  const unit = {
    x87: 'FPU_BLOCKED',
    'x87-nowait': 'FPU_BLOCKED',
    mmx: 'FPU_BLOCKED',
    sse: 'SSE_BLOCKED',
  };
  // The other banks' memory accesses throw, and a throw needs to know where it is.
  const sinks = [form.result, form.second?.sink];
  const touches =
    !c.hot &&
    [...form.args, ...sinks].some((token) => /^(m|pop|push|leave)(:|$)/.test(token ?? ''));
  if (operation.throws || operation.unit || touches)
    c.lines.push(operation.ends ? 'beginEnd(rp);' : 'begin(rp);');
  if (operation.unit) {
    const handler = {
      x87: 'x87Blocked',
      'x87-nowait': 'x87NoWaitBlocked',
      mmx: 'mmxBlocked',
      sse: 'sseBlocked',
    }[operation.unit];
    c.lines.push(`if (load<u32>(${unit[operation.unit]})) ${handler}();`);
    if (operation.unit === 'mmx') {
      c.functions.add('mmx_enter');
      // A memory operand may fault: only then does the register file change hands.
    }
  }
  if (operation.when) {
    // CMOVcc reads its operand whatever the condition.
    const value = source(c, form.args[0]!);
    c.lines.push(`const a: i32 = ${value};`, `if (${source(c, operation.when)}) {`);
    store(c, form.result!, 'a');
    c.lines.push('}');
    return c.lines.join('\n');
  }
  // Arguments in order, each into its letter. Plain calls take them in place.
  const names: string[] = [];
  form.args.forEach((token, i) => {
    const value = source(c, token);
    c.lines.push(`const ${LETTERS[i]}: ${typeOfSource(token)} = ${value};`);
    names.push(LETTERS[i]!);
  });
  // A page fault leaves the registers to the x87: MMX takes them when memory has been accessed.
  const stores = form.result !== null && /^m(:|$)/.test(form.result);
  if (operation.unit === 'mmx' && !stores) c.lines.push('mmx_enter();');
  if (operation.unit === 'x87' && /^m(:|$)/.test(form.result ?? '')) {
    // A store's page fault comes before the x87's own exceptions change anything.
    const [, width] = form.result!.split(':');
    needEa(c);
    c.lines.push(`probeWrite(ea, ${(width ? parseInt(width) : code.size) / 8});`);
  }
  if (operation.guard) {
    c.lines.push(
      `if (!${functionName(c, operation.guard)}(${names.join(', ')})) ${c.hot ? `{ note(${operation.guardFault}, 0); return faulted(rp, budget); }` : `{ begin(rp); raise(${operation.guardFault}, 0); }`}`,
    );
  }
  const sinkType = typeOfSink(form.result);
  const keepsResult = form.result !== null || (!!operation.flags && operation.fn !== null);
  if (operation.fn !== null) {
    const call = `${functionName(c, operation.fn)}(${names.join(', ')})`;
    if (!keepsResult) c.lines.push(`${call};`);
    else
      c.lines.push(
        `let r: ${sinkType} = ${sinkType === 'i32' && needsCut(c) ? cut(c, call) : call};`,
      );
  } else if (form.args.length && keepsResult) {
    c.lines.push(`let r: ${sinkType} = ${names.at(-1)};`);
  }
  // Flag functions read the old flags and the operands: compute before storing, set after.
  const flags = flagLines(c);
  const computed = flags.filter((line) => line.startsWith('const'));
  const written = flags.filter((line) => !line.startsWith('const'));
  c.lines.push(...computed);
  const toMemory = form.result !== null && /^(m(:|$)|push)/.test(form.result);
  if (form.second && !toMemory) store(c, form.second.sink, form.second.source);
  if (form.args.includes('pop')) {
    // POP m stores before ESP moves; POP r moves ESP first, so that POP ESP gets the value.
    if (toMemory) {
      store(c, form.result!, 'r');
      c.lines.push('store<u32>(ESP, sp + 4);');
    } else {
      c.lines.push('store<u32>(ESP, sp + 4);');
      store(c, form.result!, 'r');
    }
  } else {
    if (form.args.includes('leave')) c.lines.push('store<u32>(ESP, sp + 4);');
    if (form.result !== null) store(c, form.result, 'r');
    if (operation.unit === 'mmx' && stores) c.lines.push('mmx_enter();');
  }
  if (form.second && toMemory) store(c, form.second.sink, form.second.source);
  c.lines.push(...written);
  if (operation.after) c.lines.push(`${functionName(c, operation.after)}();`);
  return c.lines.join('\n');
}

// A terminator's disp holds what ends here: bytes of the block << 16 | instructions.
const RETIRE =
  'const last: u32 = load<u32>(rp, 8); const next: u32 = load<u32>(EIP) + (last >>> 16);';

/**
 * Where a call returns to is in the link of the calling block for when no branch is taken, and which block that
 * is in a ring of the last calls: a function that is called from several places has no one link of its own
 * (calls within a page 0.78, across pages 0.82).
 */
const NOTE_CALL =
  'const calls: u32 = (load<u32>(CALLS) + 4) & CALLS_MASK; store<u32>(CALLS, calls); store<u32>(CALLS + calls, block, 4);';
const RETURN_LINK =
  'const calls: u32 = load<u32>(CALLS); const caller: u32 = load<u32>(CALLS + calls, 4); store<u32>(CALLS, (calls - 4) & CALLS_MASK); link = caller ? caller + HEADER_LINK : block + HEADER_TAKEN;';

/** Near branches: `eip` and a check of the budget, then the common tail finds the next block. */
function control(c: Case): string {
  const leave =
    'if (budget <= 0) { store<u32>(EIP, eip); store<i32>(BUDGET, budget); return LEAVE_CHECK; }';
  const { operation, form } = c.code;
  switch (operation.control!) {
    case 'next':
      return `${RETIRE} budget -= last & 0xffff; eip = next; link = block + HEADER_LINK; break;`;
    case 'jmp':
      return `${RETIRE} budget -= last & 0xffff; const to = load<i32>(rp, 12); eip = next + to; link = block + HEADER_TAKEN; if (to < 0) { ${leave} } break;`;
    case 'jcc':
      return `${RETIRE} budget -= last & 0xffff; eip = next; link = block + HEADER_LINK; if (${condition(operation.cc!)}) { const to = load<i32>(rp, 12); eip = next + to; link = block + HEADER_TAKEN; if (to < 0) { ${leave} } } break;`;
    case 'call':
      c.lines.push(RETIRE);
      pushValue(c, 'next');
      c.lines.push(
        `budget -= last & 0xffff; eip = next + load<i32>(rp, 12); ${NOTE_CALL} link = block + HEADER_TAKEN; ${leave} break;`,
      );
      return c.lines.join('\n');
    case 'ret':
      readStack(c, 'load<u32>(ESP)');
      c.lines.push(
        `budget -= load<u16>(rp, 8); store<u32>(ESP, sp + 4 + load<u32>(rp, 12)); eip = top; ${RETURN_LINK} ${leave} break;`,
      );
      return c.lines.join('\n');
    case 'jmp-indirect': {
      const target = source(c, form.args[0]!);
      c.lines.push(
        `eip = ${target}; ${noteTarget(c, 'eip')}budget -= load<u16>(rp, 12); link = block + HEADER_TAKEN; ${leave} break;`,
      );
      return c.lines.join('\n');
    }
    case 'call-indirect': {
      const target = source(c, form.args[0]!);
      c.lines.push(
        RETIRE.replace('rp, 8', 'rp, 12'),
        `const target: u32 = ${target}; ${noteTarget(c, 'target')}`,
      );
      pushValue(c, 'next');
      c.lines.push(
        `budget -= last & 0xffff; eip = target; ${NOTE_CALL} link = block + HEADER_TAKEN; ${leave} break;`,
      );
      return c.lines.join('\n');
    }
  }
}

/** Where a branch through a register went last, in its disp: the translator's guess. */
function noteTarget(c: Case, target: string): string {
  return c.code.form.name === 'r' ? `store<u32>(rp, ${target}, 8); ` : '';
}

const FLAG_IMPORTS = [
  'carry',
  'getFlags',
  'getEflags',
  'setRotated',
  'of_any',
  'cf_any',
  'zf_any',
  'sf_any',
  'pf_any',
  'lt_any',
];

/** The source of one bank's function. */
export function bankSource(bank: Bank, where: (fn: string) => string): string {
  const codes = CODES.filter((code) => code.bank === bank);
  const first = codes[0]?.code ?? 0;
  const functions = new Set<string>();
  const hot = bank === 'hot';
  const cases = codes.map((code) => {
    const text = body(code, functions);
    const end = code.operation.control
      ? ''
      : hot
        ? 'rp += 16; continue;'
        : code.operation.ends
          ? 'return 1;'
          : 'return 0;';
    return `      case ${hot ? code.code : code.code - first}: { // ${code.name}\n${text}\n${end}\n      }`;
  });
  const imports = new Map<string, string[]>();
  for (const name of functions) {
    const file = where(name);
    imports.set(file, [...(imports.get(file) ?? []), name]);
  }
  for (const name of FLAG_IMPORTS) {
    const list = imports.get('../ops/flags') ?? [];
    if (!list.includes(name)) imports.set('../ops/flags', [...list, name]);
  }
  const importLines = [...imports].map(
    ([file, names]) => `import { ${names.join(', ')} } from '${file}';`,
  );
  const common = `// Generated from isa/ by isa/generate.
import { BUDGET, EAX, EBP, ECX, EDX, EIP, ESP, FAULT_PENDING, FLAG_A, FLAG_B, FLAG_KIND, FLAG_RESULT, FPU_BLOCKED, FPU_REGS, REGS, SSE_BLOCKED, TLB_ADDEND, TLB_READ, TLB_WRITE, XMM } from '../shared/layout';
import { KIND_ADC, KIND_ADD, KIND_BITS, KIND_CO, KIND_SBB, KIND_SUB } from '../shared/flags';
import { probeWrite, read8, read16, read32, read64, read128, write8, write16, write32, write64, write128, slowModify8, slowModify16, slowModify32, slowRead8, slowRead16, slowRead32, slowWrite8, slowWrite16, slowWrite32 } from '../mem/access';
import { begin, beginEnd, faulted, x87Blocked, x87NoWaitBlocked, mmxBlocked, sseBlocked } from '../interp/step';
${importLines.join('\n')}
`;
  const extra = [...functions].some((f) => where(f) === '../cpu/faults')
    ? [...functions].filter((f) => where(f) === '../cpu/faults')
    : [];
  const faults = ['note', 'raise', 'raiseGP'].filter((name) => !extra.includes(name));
  const faultImport = `import { ${faults.join(', ')} } from '../cpu/faults';\n`;
  if (!hot) {
    return `${common}${faultImport}
/** Executes one record of bank ${bank}. 1: the block ended. */
export function ${bank}(rp: u32, code: u32): i32 {
    switch (code) {
${cases.join('\n')}
    }
    return 0;
}
`;
  }
  return `${common}${faultImport}
import { noteLostBranch } from '../interp/history';
import { hashSlot } from '../mem/codepages';
import { generationOf, localCode } from '../mem/tlb';
import { HEADER_ENTRY, HEADER_HEAT, HEADER_LINK, HEADER_MODE, HEADER_PHYSICAL, HEADER_SECOND, HEADER_SIZE, HEADER_TAKEN } from '../shared/records';
import { CODE_GENERATION, MODE, SEGMENT_BASE, SHADOW, TLB_CURRENT, TLB_PHYSICAL } from '../shared/layout';
import { MODE_SINGLE, MODE_USER } from '../shared/modes';
import { TLB_GLOBAL, TLB_NO_EXECUTE } from '../shared/paging';
import { cold } from './cold';
import { x87 } from './x87';
import { sse } from './sse';
import { CALLS, CALLS_MASK, endCold, findNext, LEAVE_CHECK, LEAVE_HOT, LEAVE_NEXT, heatLimit, mustLook, nextPhysical } from '../interp/step';

const COLD: u32 = ${bankStart('cold')};
const X87: u32 = ${bankStart('x87')};
const SSE: u32 = ${bankStart('sse')};

/** Executes the record of an operation that is not in bank hot; 1: the block ended. */
function rare(rp: u32, code: u32): i32 {
  return code < X87 ? cold(rp, code - COLD) : code < SSE ? x87(rp, code - X87) : sse(rp, code - SSE);
}

/**
 * For translated code: executes an operation that ends its block. EIP is the block's, BUDGET what
 * it began with, registers and flags are in memory. 0: the region may go on at \`next\`; else it
 * must return REGION_CHECK at once, its state being in memory.
 */
export function endRecord(rp: u32, next: u32): i32 {
  const mode = load<u32>(MODE);
  const generation = generationOf(mode);
  const written = load<u32>(CODE_GENERATION);
  rare(rp, load<u16>(rp));
  endCold();
  return i32(
    load<u32>(EIP) != next ||
      load<u32>(MODE) != mode ||
      load<i32>(BUDGET) <= 0 ||
      generationOf(mode) != generation ||
      load<u32>(CODE_GENERATION) != written ||
      load<u32>(SHADOW) != 0 ||
      mustLook(),
  );
}

/** Runs decoded blocks from \`block\` until something outside must decide (LEAVE_* in interp/step.ts). */
export function interpret(block: u32, mode: u32): i32 {
  const tlb: u32 = load<u32>(TLB_CURRENT);
  let budget: i32 = load<i32>(BUDGET);
  let rp: u32 = block + HEADER_SIZE;
  let eip: u32 = load<u32>(EIP);
  // Page of the code being run: its last linear address, and physical minus linear. What runs alone is in none,
  // so that only the way into another page asks for it.
  const start: u32 = eip + load<u32>(SEGMENT_BASE + 4);
  let page: u32 = mode & MODE_SINGLE ? 0 : start | 0xfff;
  let delta: u32 = load<u32>(block, HEADER_PHYSICAL) - start;
  // Address of the link that goes where the block ends.
  let link: u32 = 0;
  while (true) {
    switch (<u32>load<u16>(rp)) {
      // No record has code 0; with it the jump needs no subtraction.
      case 0: unreachable();
${cases.join('\n')}
      default: {
        // The other banks: rare operations, in functions of their own.
        store<i32>(BUDGET, budget);
        if (rare(rp, load<u16>(rp))) { endCold(); return LEAVE_CHECK; }
        rp += 16;
        continue;
      }
    }
    // A block ended and eip is the next one's.
    store<u32>(EIP, eip);
    const linear: u32 = eip + load<u32>(SEGMENT_BASE + 4);
    if ((linear | 0xfff) != page) {
      if (mode & MODE_SINGLE) { store<i32>(BUDGET, budget); return LEAVE_NEXT; }
      // Code without a branch, as of zeros, comes round at the end of its segment: no other check ends it.
      if (linear < (page & ~0xfff) && budget <= 0) { store<i32>(BUDGET, budget); return LEAVE_CHECK; }
      // What translateFetch() does where it has nothing to note, without a call: calls across pages 0.66.
      const e: u32 = tlb + ((linear >>> 8) & 0xfffff0);
      let physical: u32 = load<u32>(e, TLB_PHYSICAL);
      if (load<u32>(e, TLB_READ) == (linear | 0xfff) && (physical & TLB_NO_EXECUTE) == 0 && (localCode || mode & MODE_USER || physical & TLB_GLOBAL)) {
        physical = (physical & ~0xfff) | (linear & 0xfff);
      } else {
        physical = nextPhysical(linear);
        if (load<u32>(FAULT_PENDING)) { store<i32>(BUDGET, budget); noteLostBranch(rp, page); return LEAVE_NEXT; }
      }
      page = linear | 0xfff;
      delta = physical - linear;
    }
    const physical = linear + delta;
    let found: u32 = load<u32>(link);
    // One branch, not three (0.95 of the integer rows); what leads to no block leads to address 0, which has the mode
    // of none (0.98).
    if ((load<u32>(found, HEADER_PHYSICAL) ^ physical) | (load<u32>(found, HEADER_MODE) ^ mode)) {
      const at = hashSlot(physical, mode);
      found = load<u32>(at, 4);
      if ((load<u32>(at) ^ physical) | (load<u32>(found, HEADER_MODE) ^ mode)) {
        store<i32>(BUDGET, budget);
        found = findNext(linear, physical, mode);
        if (!found) return LEAVE_NEXT;
      }
      if (!load<u32>(found, HEADER_SECOND)) store<u32>(link, found);
    }
    const heat: u32 = load<u32>(found, HEADER_HEAT) + 1;
    store<u32>(found, heat, HEADER_HEAT);
    if (heat >= heatLimit) { store<i32>(BUDGET, budget); return LEAVE_HOT; }
    block = found;
    rp = found + HEADER_SIZE;
  }
}
`;
}

export { BANKS };
