;; movdqa xmm0, [esi]; pshufd xmm1, xmm0, 0x1b; paddd xmm0, xmm1
;; 4 instructions, 13 bytes; 696 bytes of wasm
(module
  (import "env" "memory" (memory 1))
  (import "env" "endRecord" (func $endRecord (param i32 i32) (result i32)))
  (import "env" "chain" (func $chain (param i32) (result i32)))
  (func (;2;) (param i32 i32) (result i32)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 v128 v128 i32 i32 v128)
    i32.const 0
    i32.load offset=0x400
    local.set 2
    i32.const 0
    i32.load offset=0x404
    local.set 3
    i32.const 0
    i32.load offset=0x408
    local.set 4
    i32.const 0
    i32.load offset=0x40c
    local.set 5
    i32.const 0
    i32.load offset=0x410
    local.set 6
    i32.const 0
    i32.load offset=0x414
    local.set 7
    i32.const 0
    i32.load offset=0x418
    local.set 8
    i32.const 0
    i32.load offset=0x41c
    local.set 9
    i32.const 0
    i32.load offset=0x510
    local.set 10
    i32.const 0
    i32.load offset=0x514
    local.set 11
    i32.const 0
    i32.load offset=0x518
    local.set 12
    i32.const 0
    i32.load offset=0x51c
    local.set 13
    i32.const 0
    v128.load offset=0x900
    local.set 20
    i32.const 0
    v128.load offset=0x910
    local.set 21
    i32.const 0
    i32.load offset=0x530
    local.set 14
    i32.const 0x10000
    local.set 15
    block
      i32.const 512
      local.set 16
      i32.const 0
      i32.load offset=0x57c
      br_if 0
      local.get 8
      local.set 22
      i32.const 512
      local.set 16
      local.get 22
      i32.const 15
      i32.and
      br_if 0
      i32.const 512
      local.set 16
      local.get 8
      i32.const 12
      i32.shr_u
      i32.const 4
      i32.shl
      local.tee 23
      i32.load offset=0x2000000
      local.get 8
      i32.const 15
      i32.add
      i32.const 0xfff
      i32.or
      i32.ne
      br_if 0
      local.get 8
      local.get 23
      i32.load offset=0x2000008
      i32.add
      local.tee 23
      v128.load align=1
      local.tee 24
      local.set 20
      i32.const 0
      local.set 22
      i32.const 0x1201
      local.set 16
      local.get 22
      i32.const 15
      i32.and
      br_if 0
      local.get 20
      local.get 20
      i8x16.shuffle 12 13 14 15 8 9 10 11 4 5 6 7 0 1 2 3
      local.set 21
      i32.const 0
      local.set 22
      i32.const 0x2602
      local.set 16
      local.get 22
      i32.const 15
      i32.and
      br_if 0
      local.get 20
      local.get 21
      i32x4.add
      local.set 20
      i32.const 0
      local.get 2
      i32.store offset=0x400
      i32.const 0
      local.get 3
      i32.store offset=0x404
      i32.const 0
      local.get 4
      i32.store offset=0x408
      i32.const 0
      local.get 5
      i32.store offset=0x40c
      i32.const 0
      local.get 6
      i32.store offset=0x410
      i32.const 0
      local.get 7
      i32.store offset=0x414
      i32.const 0
      local.get 8
      i32.store offset=0x418
      i32.const 0
      local.get 9
      i32.store offset=0x41c
      i32.const 0
      local.get 10
      i32.store offset=0x510
      i32.const 0
      local.get 11
      i32.store offset=0x514
      i32.const 0
      local.get 12
      i32.store offset=0x518
      i32.const 0
      local.get 13
      i32.store offset=0x51c
      i32.const 0
      local.get 20
      v128.store offset=0x900
      i32.const 0
      local.get 21
      v128.store offset=0x910
      i32.const 0
      local.get 14
      i32.store offset=0x530
      i32.const 0
      i32.const 0x10000
      i32.store offset=0x500
      local.get 1
      i32.load offset=8
      i32.const 0x1000e
      call $endRecord
      drop
      i32.const 1
      return
      unreachable
    end
    i32.const 0
    local.get 2
    i32.store offset=0x400
    i32.const 0
    local.get 3
    i32.store offset=0x404
    i32.const 0
    local.get 4
    i32.store offset=0x408
    i32.const 0
    local.get 5
    i32.store offset=0x40c
    i32.const 0
    local.get 6
    i32.store offset=0x410
    i32.const 0
    local.get 7
    i32.store offset=0x414
    i32.const 0
    local.get 8
    i32.store offset=0x418
    i32.const 0
    local.get 9
    i32.store offset=0x41c
    i32.const 0
    local.get 10
    i32.store offset=0x510
    i32.const 0
    local.get 11
    i32.store offset=0x514
    i32.const 0
    local.get 12
    i32.store offset=0x518
    i32.const 0
    local.get 13
    i32.store offset=0x51c
    i32.const 0
    local.get 20
    v128.store offset=0x900
    i32.const 0
    local.get 21
    v128.store offset=0x910
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
    i32.const 0
    i32.const 0
    i32.store offset=0x50c
    local.get 16
    i32.const 8
    i32.shr_u
    i32.const 3
    i32.and
    return_call $chain)
  (export "r2" (func 2)))
