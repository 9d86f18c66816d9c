import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { applets, initramfs, READY } from '../../guests/initramfs';
import { dependsOf, insertionOrder, moduleName } from '../../guests/modules';

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const BUSYBOX = bytes('\x7fELF....\0[\0[[\0ash\0busybox\0cat\0zcat\0\0more');

describe('applets', () => {
  it('reads the names from the table in the binary', () => {
    expect(applets(BUSYBOX)).toEqual(['[', '[[', 'ash', 'cat', 'zcat']);
  });

  it('says when there is none', () => {
    expect(() => applets(bytes('not a busybox'))).toThrow(/no table of applet names/);
  });
});

describe('initramfs', () => {
  it('holds init, the applets as links, and the modules in their order', () => {
    const modules = ['b', 'a'].map((name) => ({ name, data: bytes(`module ${name}`) }));
    const text = gunzipSync(initramfs(BUSYBOX, modules)).toString('latin1');
    expect(text).toContain('bin/zcat\0');
    expect(text).toContain('lib/modules/a.ko\0');
    expect(text).toContain('for module in b a;');
    expect(text).toContain(READY);
  });

  it('is the same bytes every time', () => {
    expect(initramfs(BUSYBOX, [])).toEqual(initramfs(BUSYBOX, []));
  });
});

describe('modules', () => {
  const module = (depends: string): Uint8Array =>
    bytes(`ELF\0license=GPL\0depends=${depends}\0name=x\0`);

  it('takes dash and underscore for the same', () => {
    expect(moduleName('kernel/lib/crc-t10dif.ko')).toBe('crc_t10dif');
  });

  it('reads what a module needs', () => {
    expect(dependsOf(module('jbd2,crc-t10dif'))).toEqual(['jbd2', 'crc_t10dif']);
    expect(dependsOf(module(''))).toEqual([]);
  });

  it('puts each module after its needs, once, and leaves out what is built in', () => {
    const all: Record<string, Uint8Array> = {
      ext4: module('jbd2,mbcache,builtin'),
      jbd2: module('crc32'),
      mbcache: module('crc32'),
      crc32: module(''),
    };
    expect(insertionOrder(['ext4', 'jbd2'], (name) => all[name])).toEqual([
      'crc32',
      'jbd2',
      'mbcache',
      'ext4',
    ]);
  });
});
