;; call $+7; jmp $+4; inc eax; ret
;; 5 instructions, 9 bytes; 951 bytes of wasm
(module
  (import "env" "memory" (memory 1))
  (import "env" "endRecord" (func $endRecord (param i32 i32) (result i32)))
  (import "env" "chain" (func $chain (param i32) (result i32)))
  (func (;2;) (param i32 i32) (result i32)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
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
      loop
        block
          block
            local.get 0
            i32.const 1
            i32.ne
            br_if 0
            i32.const 512
            local.set 16
            local.get 6
            i32.const -4
            i32.add
            local.tee 19
            i32.const 12
            i32.shr_u
            i32.const 4
            i32.shl
            local.tee 20
            i32.load offset=0x2000004
            local.get 19
            i32.const 3
            i32.add
            i32.const 0xfff
            i32.or
            i32.ne
            br_if 3
            local.get 19
            local.get 20
            i32.load offset=0x2000008
            i32.add
            local.tee 19
            i32.const 0x10005
            i32.store align=1
            local.get 6
            i32.const -4
            i32.add
            local.set 6
            local.get 14
            i32.const 1
            i32.sub
            local.set 14
            i32.const 0x1d00
            local.set 16
            local.get 14
            i32.const 1
            i32.lt_s
            br_if 3
            local.get 2
            i32.const 1
            i32.add
            local.set 19
            block (result i32)
              local.get 10
              i32.const 3
              i32.eq
              if
                local.get 12
                local.get 13
                i32.lt_u
                br 1
              end
              local.get 10
              i32.const 1
              i32.eq
              if
                local.get 11
                local.get 12
                i32.lt_u
                br 1
              end
              local.get 10
              i32.const 2
              i32.eq
              if
                local.get 12
                local.get 13
                i32.and
                local.get 12
                local.get 13
                i32.or
                local.get 11
                i32.const -1
                i32.xor
                i32.and
                i32.or
                i32.const 31
                i32.shr_u
                br 1
              end
              local.get 10
              i32.const 4
              i32.eq
              if
                local.get 12
                i32.const -1
                i32.xor
                local.get 13
                i32.and
                local.get 12
                local.get 13
                i32.xor
                i32.const -1
                i32.xor
                local.get 11
                i32.and
                i32.or
                i32.const 31
                i32.shr_u
                br 1
              end
              local.get 13
              i32.const 1
              i32.and
            end
            local.set 20
            local.get 20
            local.get 2
            local.get 19
            i32.xor
            i32.const 16
            i32.and
            i32.or
            local.get 2
            i32.const -1
            i32.xor
            local.get 19
            i32.and
            i32.const 31
            i32.shr_u
            i32.const 11
            i32.shl
            i32.or
            local.tee 21
            local.set 13
            local.get 19
            local.set 11
            i32.const 5
            local.set 10
            local.get 19
            local.set 2
            i32.const 0x2201
            local.set 16
            local.get 6
            i32.const 12
            i32.shr_u
            i32.const 4
            i32.shl
            local.tee 19
            i32.load offset=0x2000000
            local.get 6
            i32.const 3
            i32.add
            i32.const 0xfff
            i32.or
            i32.ne
            br_if 3
            local.get 6
            local.get 19
            i32.load offset=0x2000008
            i32.add
            local.tee 19
            i32.load align=1
            local.set 17
            local.get 6
            i32.const 4
            i32.add
            local.set 6
            local.get 14
            i32.const 2
            i32.sub
            local.set 14
            local.get 17
            i32.const 0x10005
            i32.eq
            if
              i32.const 0x1500
              local.set 16
              local.get 14
              i32.const 1
              i32.lt_s
              br_if 4
              br 1
            end
            br 1
          end
          local.get 14
          i32.const 1
          i32.sub
          local.set 14
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
          i32.const 0x10009
          i32.store offset=0x500
          local.get 1
          i32.load offset=152
          i32.const 0x1000a
          call $endRecord
          drop
          i32.const 1
          return
          unreachable
        end
        block
          local.get 14
          i32.const 1
          i32.lt_s
          br_if 0
          local.get 17
          local.get 17
          i32.const 1
          i32.shr_u
          i32.xor
          i32.const 7
          i32.and
          i32.const 4
          i32.shl
          local.get 1
          i32.add
          local.tee 19
          i32.load offset=8
          local.get 17
          i32.ne
          if
            local.get 19
            i32.const 16
            i32.add
            local.tee 19
            i32.load offset=8
            local.get 17
            i32.ne
            br_if 1
          end
          local.get 19
          i32.load offset=12
          local.set 0
          br 1
        end
        local.get 17
        local.set 15
        i32.const 256
        local.set 16
        br 1
      end
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
