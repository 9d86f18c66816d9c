import { describe, expect, it } from 'vitest';
import { Expect } from '../../host/cli/expect';
import { Keys } from '../../host/cli/keys';

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

describe('keys', () => {
  const feed = (...parts: string[]): { data: string; commands: string[] } => {
    const keys = new Keys();
    const typed = parts.map((part) => keys.feed(bytes(part)));
    return {
      data: typed.map(({ data }) => Buffer.from(data).toString('latin1')).join(''),
      commands: typed.flatMap(({ commands }) => commands),
    };
  };

  it('passes everything else through', () => {
    expect(feed('ls\r\x03\xff\0')).toEqual({ data: 'ls\r\x03\xff\0', commands: [] });
  });

  it('keeps Ctrl-A and the key after it, even in two reads', () => {
    expect(feed('a\x01', 'xb')).toEqual({ data: 'ab', commands: ['quit'] });
    expect(feed('\x01h\x01?')).toEqual({ data: '', commands: ['help', 'help'] });
    expect(feed('\x01z')).toEqual({ data: '', commands: [] });
  });

  it('sends one Ctrl-A for two', () => {
    expect(feed('\x01\x01\x01\x01x')).toEqual({ data: '\x01\x01x', commands: [] });
  });
});

describe('expect', () => {
  it('matches across parts, and lines from their start', () => {
    const expectation = new Expect(/^GUEST-\w+$/m);
    expect(expectation.feed(bytes('boot GUEST-READY\r\nGUE'))).toBe(false);
    expect(expectation.feed(bytes('ST-READY'))).toBe(true);
  });

  it('decodes characters that are split between parts', () => {
    const expectation = new Expect(/größe/);
    const text = Buffer.from('größe');
    expect(expectation.feed(text.subarray(0, 3))).toBe(false);
    expect(expectation.feed(text.subarray(3))).toBe(true);
  });

  it('finds a match after much output', () => {
    const expectation = new Expect(/needle/);
    for (let i = 0; i < 100; i++) {
      expect(expectation.feed(new Uint8Array(1000).fill(0x61))).toBe(false);
    }
    expect(expectation.feed(bytes('need'))).toBe(false);
    expect(expectation.feed(bytes('le'))).toBe(true);
  });
});
