;; cld; rep movsd
;; 3 instructions, 3 bytes; 750 bytes of wasm
(module
  (import "env" "memory" (memory 1))
  (import "env" "endRecord" (func $endRecord (param i32 i32) (result i32)))
  (import "env" "chain" (func $chain (param i32) (result i32)))
  (func (;2;) (param i32 i32) (result i32)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
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
    i32.load offset=0x530
    local.set 14
    i32.const 0x10000
    local.set 15
    block
      block
        local.get 0
        i32.const 1
        i32.ne
        br_if 0
        i32.const 0x520
        i32.const 0x520
        i32.load
        i32.const 0xfffffbff
        i32.and
        i32.store
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
        local.get 14
        i32.store offset=0x530
        i32.const 0
        i32.const 0x10000
        i32.store offset=0x500
        local.get 1
        i32.load offset=152
        i32.const 0x10003
        call $endRecord
        if
          i32.const 1
          return
        end
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
        i32.load offset=0x530
        local.set 14
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
      local.get 14
      i32.store offset=0x530
      i32.const 0
      i32.const 0x10003
      i32.store offset=0x500
      local.get 1
      i32.load offset=156
      i32.const 0x10004
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
