// IN and OUT (INS and OUTS are in string.ts).
import { EAX, EDX } from '../shared/layout';
import { askForTime } from '../cpu/msr';
import { checkPort } from '../cpu/privilege';

export declare function portIn(port: u32, size: u32): u32;
export declare function portOut(port: u32, size: u32, value: u32): void;

/** A port that may be read or written: the host is asked. */
export function readPort(port: u32, size: u32): u32 {
  askForTime();
  return portIn(port, size);
}
export function writePort(port: u32, size: u32, value: u32): void {
  askForTime();
  portOut(port, size, value);
}

export function in_imm8(port: i32): void {
  input8(port & 0xff);
}

export function in_imm16(port: i32): void {
  input16(port & 0xff);
}

export function in_imm32(port: i32): void {
  input32(port & 0xff);
}

export function in_dx8(): void {
  input8(load<u16>(EDX));
}

export function in_dx16(): void {
  input16(load<u16>(EDX));
}

export function in_dx32(): void {
  input32(load<u16>(EDX));
}

export function out_imm8(port: i32): void {
  output8(port & 0xff);
}

export function out_imm16(port: i32): void {
  output16(port & 0xff);
}

export function out_imm32(port: i32): void {
  output32(port & 0xff);
}

export function out_dx8(): void {
  output8(load<u16>(EDX));
}

export function out_dx16(): void {
  output16(load<u16>(EDX));
}

export function out_dx32(): void {
  output32(load<u16>(EDX));
}

function input8(port: u32): void {
  checkPort(port, 1);
  store<u8>(EAX, readPort(port, 1));
}

function input16(port: u32): void {
  checkPort(port, 2);
  store<u16>(EAX, readPort(port, 2));
}

function input32(port: u32): void {
  checkPort(port, 4);
  store<u32>(EAX, readPort(port, 4));
}

function output8(port: u32): void {
  checkPort(port, 1);
  writePort(port, 1, load<u8>(EAX));
}

function output16(port: u32): void {
  checkPort(port, 2);
  writePort(port, 2, load<u16>(EAX));
}

function output32(port: u32): void {
  checkPort(port, 4);
  writePort(port, 4, load<u32>(EAX));
}
