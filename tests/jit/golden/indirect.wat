;; jmp [4*eax+0x11000]
;; 1 instructions, 7 bytes; 232 bytes of wasm
(module
  (import "env" "memory" (memory 1))
  (import "env" "chain" (func $chain (param i32) (result i32)))
  (func (;1;) (param i32 i32) (result i32)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
    i32.const 0
    i32.load offset=0x400
    local.set 2
    i32.const 0
    i32.load offset=0x530
    local.set 14
    i32.const 0x10000
    local.set 15
    block
      loop
        i32.const 512
        local.set 16
        local.get 2
        i32.const 2
        i32.shl
        i32.const 0x11000
        i32.add
        local.tee 19
        i32.const 12
        i32.shr_u
        i32.const 4
        i32.shl
        local.tee 20
        i32.load offset=0x2000000
        local.get 19
        i32.const 3
        i32.add
        i32.const 0xfff
        i32.or
        i32.ne
        br_if 1
        local.get 19
        local.get 20
        i32.load offset=0x2000008
        i32.add
        local.tee 19
        i32.load align=1
        local.set 17
        local.get 14
        i32.const 1
        i32.sub
        local.set 14
        local.get 17
        local.set 15
        i32.const 256
        local.set 16
        br 1
      end
      unreachable
    end
    i32.const 0
    local.get 15
    local.get 16
    i32.const 10
    i32.shr_s
    i32.add
    i32.store offset=0x500
    i32.const 0
    local.get 14
    local.get 16
    i32.const 255
    i32.and
    i32.sub
    i32.store offset=0x530
    local.get 16
    i32.const 8
    i32.shr_u
    i32.const 3
    i32.and
    return_call $chain)
  (export "r2" (func 1)))
