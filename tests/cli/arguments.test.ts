import { describe, expect, it } from 'vitest';
import { parseArguments, type Arguments } from '../../host/cli/arguments';
import { UserError } from '../../host/errors';

const parse = (...words: string[]): Arguments => {
  const parsed = parseArguments(words, '1.2.3');
  if ('answer' in parsed) throw new Error('answered instead');
  return parsed;
};

/** The message, without line ends, of the UserError that the words bring about. */
const refusal = (...words: string[]): string => {
  try {
    parseArguments(words, '1.2.3');
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error('accepted');
};

describe('arguments', () => {
  it('has the documented defaults', () => {
    expect(parse('--kernel', 'k')).toEqual({
      kernel: 'k',
      append: '',
      unpack: true,
      memory: 256,
      jit: true,
      clock: 'host',
      trace: [],
      paravirt: 'vmi',
      vmi: {},
    });
  });

  it('reads every option', () => {
    const words =
      '--kernel k --initrd i --memory 64 --disk d.img,readonly --no-unpack --no-jit --clock virtual';
    const more =
      '--expect a.c --timeout 1.5 --stats s.json --trace io,irq --paravirt kvm --vmi no-spaces,no-delay';
    const parsed = parse(...words.split(' '), ...more.split(' '), '--append', '-x console=ttyS0');
    expect(parsed).toEqual({
      kernel: 'k',
      initrd: 'i',
      append: '-x console=ttyS0',
      unpack: false,
      memory: 64,
      disk: { path: 'd.img', readonly: true },
      jit: false,
      clock: 'virtual',
      expect: /a.c/m,
      timeout: 1.5,
      stats: 's.json',
      trace: ['io', 'irq'],
      paravirt: 'kvm',
      vmi: { spaces: false, delay: false },
    });
  });

  it("understands QEMU's spellings", () => {
    const parsed = parse(
      ...['-kernel', 'k', '-initrd', 'i', '-append', '-m 5', '-m', '1G', '-nographic'],
    );
    expect(parsed).toMatchObject({ kernel: 'k', initrd: 'i', append: '-m 5', memory: 1024 });
    expect(parse('-kernel', 'k', '-m', '64M').memory).toBe(64);
    expect(parse('-kernel', 'k', '-m', 'size=64').memory).toBe(64);
  });

  it('takes --name=value', () => {
    expect(parse('--kernel=k', '--append=a=b c=d')).toMatchObject({
      kernel: 'k',
      append: 'a=b c=d',
    });
  });

  it('answers --help and --version', () => {
    expect(parseArguments(['--version'], '1.2.3')).toEqual({ answer: '1.2.3\n' });
    const help = parseArguments(['--help'], '1.2.3');
    expect('answer' in help && help.answer).toMatch(/--expect <regex>[^]*Ctrl-A x/);
  });

  it.each([
    [[], /^--kernel: is missing; give /],
    [['--kernel'], /^--kernel: needs a value/],
    [['--kernel', 'k', '--frobnicate'], /^--frobnicate: unknown option; vmi86 --help/],
    [['--kernel', 'k', '-frob'], /^-frob: unknown option/],
    [['k'], /^k: no option before it; files are given as --kernel FILE/],
    [['--kernel', 'k', '--memory', '15'], /^--memory 15: give between 16 and 2816 MiB/],
    [['--kernel', 'k', '--memory', '4096'], /^--memory 4096: give between 16 and 2816 MiB/],
    [['--kernel', 'k', '--memory', 'lots'], /^--memory lots: give a whole number of MiB/],
    [['--kernel', 'k', '-m', '-5'], /^--memory -5: give a whole number of MiB/],
    [
      ['--kernel', 'k', '--vmi', 'no-spaces,timer'],
      /^--vmi no-spaces,timer: give some of no-spaces,no-timer,no-delay,no-eager,no-direct$/,
    ],
    [['--kernel', 'k', '--clock', 'sun'], /^--clock sun: give host or virtual/],
    [['--kernel', 'k', '--expect', '('], /^--expect \(: .*give a JavaScript regular expression/],
    [['--kernel', 'k', '--timeout', '0'], /^--timeout 0: give a number of seconds above 0/],
    [['--kernel', 'k', '--timeout', '1.2.3'], /^--timeout 1.2.3: give a number/],
    [['--kernel', 'k', '--trace', 'io,tea'], /^--trace io,tea: give some of io,/],
    [['--kernel', 'k', '--paravirt', 'xen'], /^--paravirt xen: give vmi or kvm or vmware or none/],
    [['--kernel', 'k', '--disk', ',readonly'], /^--disk ,readonly: give the path/],
  ])('refuses %j in one line', (words, message) => {
    expect(refusal(...words)).toMatch(message);
    expect(refusal(...words)).not.toContain('\n');
  });
});
