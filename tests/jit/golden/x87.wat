;; fninit; fld qword [esi]; fadd st0, st1; fstp qword [edi]
;; 5 instructions, 8 bytes; 1982 bytes of wasm
(module
  (import "env" "memory" (memory 1))
  (import "env" "masked_load64" (func $masked_load64 (param i32 i64) (result i32)))
  (import "env" "masked_registers" (func $masked_registers (param i32 i32 i32 i32) (result i32)))
  (import "env" "masked_store64" (func $masked_store64 (param i32 i32) (result i32)))
  (import "env" "endRecord" (func $endRecord (param i32 i32) (result i32)))
  (import "env" "x87_leave" (func $x87_leave (param i32 i32)))
  (import "env" "chain" (func $chain (param i32) (result i32)))
  (func (;6;) (param i32 i32) (result i32)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32 i64 i32 i64 i32 i32 i32 i64 i64 i32)
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
      i32.const 512
      local.set 16
      i32.const 0
      i32.load offset=0x578
      br_if 0
      i32.const 0x884
      i32.const 895
      i32.store
      i32.const 0x888
      i32.const 0
      i32.store
      i32.const 0x880
      i32.const 0
      i32.store
      i32.const 0x88c
      i32.const 0
      i32.store
      i32.const 0x894
      i32.const 0
      i32.store
      i32.const 0x898
      i32.const 0
      i32.store
      i32.const 0x89c
      i32.const 0
      i32.store
      i32.const 0x8a0
      i32.const 0
      i32.store
      i32.const 0x890
      i32.const 0
      i32.store
      i32.const 0x578
      i32.load
      i32.const -3
      i32.and
      local.set 19
      i32.const 0x888
      i32.load
      i32.const 0xffff7f7f
      i32.and
      local.tee 20
      i32.const 0x884
      i32.load
      i32.const -1
      i32.xor
      i32.and
      i32.const 63
      i32.and
      if
        i32.const 0x888
        local.get 20
        i32.const 0x8080
        i32.or
        i32.store
        i32.const 0x578
        local.get 19
        i32.const 2
        i32.or
        i32.store
      else
        i32.const 0x888
        local.get 20
        i32.store
        i32.const 0x578
        local.get 19
        i32.store
      end
      i32.const 0xa01
      local.set 16
      i32.const 0
      i32.load offset=0x578
      i32.const 0
      i32.load offset=0x884
      i32.const 63
      i32.and
      i32.const 63
      i32.xor
      i32.or
      i32.const 0
      i32.load offset=0x880
      local.set 21
      i32.const 0
      i32.load offset=0x88c
      i32.const 257
      i32.mul
      local.get 21
      i32.shr_u
      i32.const 129
      i32.and
      i32.const 1
      i32.xor
      i32.or
      br_if 0
      local.get 21
      i32.const 4
      i32.shl
      local.set 21
      local.get 8
      local.set 19
      i32.const 0xa01
      local.set 16
      local.get 8
      i32.const 12
      i32.shr_u
      i32.const 4
      i32.shl
      local.tee 20
      i32.load offset=0x2000000
      local.get 8
      i32.const 7
      i32.add
      i32.const 0xfff
      i32.or
      i32.ne
      br_if 0
      local.get 8
      local.get 20
      i32.load offset=0x2000008
      i32.add
      local.set 20
      i32.const 0
      i32.const 0
      i32.load offset=0x5c4
      i32.store offset=0x898
      i32.const 0
      local.get 19
      i32.store offset=0x89c
      i32.const 0
      i32.const 0
      i32.load offset=0x5cc
      i32.store offset=0x8a0
      local.get 20
      i64.load align=1
      local.set 24
      local.get 21
      i32.const 112
      i32.add
      i32.const 112
      i32.and
      local.set 19
      i32.const 0
      local.set 27
      local.get 24
      i64.const 12
      i64.shl
      i64.const 1
      i64.shr_u
      i64.const -9223372036854775808
      i64.or
      local.set 25
      local.get 24
      i64.const 48
      i64.shr_u
      i32.wrap_i64
      i32.const 0x8000
      i32.and
      local.get 24
      i64.const 48
      i64.shr_u
      i32.wrap_i64
      i32.const 4
      i32.shr_u
      i32.const 0x7ff
      i32.and
      i32.const 0x3c00
      i32.add
      i32.or
      local.set 26
      local.get 24
      i64.const 48
      i64.shr_u
      i32.wrap_i64
      i32.const 4
      i32.shr_u
      i32.const 0x7ff
      i32.and
      i32.const 1
      i32.sub
      i32.const 0x7fe
      i32.lt_u
      i32.eqz
      if
        local.get 19
        local.get 24
        call $masked_load64
        local.set 27
        local.get 19
        i64.load offset=0x800
        local.set 25
        local.get 19
        i32.load16_u offset=0x808
        local.set 26
      end
      local.get 19
      local.get 25
      i64.store offset=0x800
      local.get 19
      local.get 26
      i32.store16 offset=0x808
      local.get 27
      local.set 22
      local.get 21
      i64.load offset=0x800
      local.set 24
      local.get 21
      i32.load16_u offset=0x808
      local.set 27
      local.get 25
      local.set 28
      local.get 26
      local.set 29
      local.get 24
      local.set 30
      local.get 27
      local.set 31
      i32.const 0
      local.set 32
      block (result i32)
        local.get 31
        local.get 32
        i32.xor
        local.set 31
        block
          i32.const 0x884
          i32.load
          i32.const 0xf3f
          i32.and
          i32.const 831
          i32.ne
          br_if 0
          local.get 28
          local.get 30
          i64.and
          i64.const 0
          i64.ge_s
          br_if 0
          local.get 29
          i32.const 1
          i32.add
          i32.const 0x7ffe
          i32.and
          i32.eqz
          br_if 0
          local.get 31
          i32.const 1
          i32.add
          i32.const 0x7ffe
          i32.and
          i32.eqz
          br_if 0
          local.get 29
          i32.const 0x7fff
          i32.and
          local.get 31
          i32.const 0x7fff
          i32.and
          i32.sub
          local.tee 33
          i32.eqz
          local.get 28
          local.get 30
          i64.lt_u
          i32.and
          local.get 33
          i32.const 0
          i32.lt_s
          i32.or
          if
            local.get 28
            local.get 30
            local.set 28
            local.get 29
            local.get 31
            local.set 29
            local.set 31
            i32.const 0
            local.get 33
            i32.sub
            local.set 33
            local.set 30
          end
          local.get 33
          i32.const 64
          i32.ge_s
          br_if 0
          local.get 29
          i32.const 0x7fff
          i32.and
          local.set 32
          local.get 30
          local.get 33
          i64.extend_i32_s
          local.tee 34
          i64.shr_u
          local.set 35
          local.get 30
          i64.const 1
          i64.shl
          i64.const 63
          local.get 34
          i64.sub
          i64.shl
          local.set 30
          local.get 29
          local.get 31
          i32.xor
          i32.const 0x8000
          i32.and
          if (result i32)
            i64.const 0
            local.get 30
            i64.sub
            local.set 34
            local.get 28
            local.get 35
            i64.sub
            local.get 30
            i64.const 0
            i64.ne
            i64.extend_i32_u
            i64.sub
            local.tee 35
            i64.eqz
            if
              local.get 34
              i64.eqz
              if
                local.get 19
                i64.const 0
                i64.store offset=0x800
                local.get 19
                i32.const 0
                i32.store16 offset=0x808
                i32.const 0
                br 4
              end
              local.get 34
              local.set 35
              local.get 32
              i32.const -64
              i32.add
              local.set 32
              i64.const 0
              local.set 34
            end
            local.get 35
            local.get 35
            i64.clz
            i32.wrap_i64
            local.tee 31
            i64.extend_i32_s
            local.tee 28
            i64.shl
            local.get 34
            i64.const 1
            i64.shr_u
            i64.const 63
            local.get 28
            i64.sub
            i64.shr_u
            i64.or
            local.set 35
            local.get 34
            local.get 28
            i64.shl
            local.set 30
            local.get 32
            local.get 31
            i32.sub
          else
            local.get 28
            local.get 35
            i64.add
            local.tee 35
            local.get 28
            i64.lt_u
            if (result i32)
              local.get 30
              i64.const 1
              i64.and
              local.get 35
              i64.const 63
              i64.shl
              local.get 30
              i64.const 1
              i64.shr_u
              i64.or
              i64.or
              local.set 30
              local.get 35
              i64.const 1
              i64.shr_u
              i64.const -9223372036854775808
              i64.or
              local.set 35
              local.get 32
              i32.const 1
              i32.add
            else
              local.get 32
            end
          end
          local.set 31
          local.get 35
          local.get 30
          i64.const -9223372036854775808
          local.get 35
          i64.const 1
          i64.and
          i64.sub
          i64.gt_u
          local.tee 32
          i64.extend_i32_u
          i64.add
          local.tee 35
          i64.eqz
          if
            i64.const -9223372036854775808
            local.set 35
            local.get 31
            i32.const 1
            i32.add
            local.set 31
          end
          local.get 31
          i32.const 1
          i32.sub
          i32.const 0x7ffe
          i32.ge_u
          br_if 0
          local.get 19
          local.get 35
          i64.store offset=0x800
          local.get 19
          local.get 29
          i32.const 0x8000
          i32.and
          local.get 31
          i32.or
          i32.store16 offset=0x808
          i32.const 544
          i32.const 32
          local.get 32
          select
          i32.const 0
          local.get 30
          i64.const 0
          i64.ne
          select
          br 1
        end
        i32.const -1
      end
      local.tee 20
      i32.const 0
      i32.lt_s
      if
        i32.const 0
        local.get 19
        local.get 19
        local.get 21
        call $masked_registers
        local.set 20
      end
      local.get 20
      local.get 22
      i32.const -513
      i32.and
      i32.or
      local.set 22
      local.get 9
      local.set 20
      i32.const 0
      i32.const 0x10004
      i32.store offset=0x894
      i32.const 0x280407
      local.set 23
      i32.const 0x1a03
      local.set 16
      local.get 9
      i32.const 12
      i32.shr_u
      i32.const 4
      i32.shl
      local.tee 26
      i32.load offset=0x2000004
      local.get 9
      i32.const 7
      i32.add
      i32.const 0xfff
      i32.or
      i32.ne
      br_if 0
      local.get 9
      local.get 26
      i32.load offset=0x2000008
      i32.add
      local.set 26
      i32.const 0
      local.get 20
      i32.store offset=0x89c
      local.get 26
      local.set 20
      local.get 19
      i64.load offset=0x800
      local.set 25
      local.get 19
      i32.load16_u offset=0x808
      local.set 29
      local.get 29
      local.set 32
      block (result i32)
        local.get 32
        i32.const 0x8000
        i32.and
        local.set 33
        local.get 32
        i32.const 0x7fff
        i32.and
        local.tee 32
        i32.const 0x3c00
        i32.sub
        local.tee 36
        i32.const 1
        i32.sub
        i32.const 0x7fd
        i32.lt_u
        local.get 25
        i64.const 0
        i64.lt_s
        i32.and
        i32.eqz
        if
          local.get 25
          local.get 32
          i64.extend_i32_u
          i64.or
          i64.const 0
          i64.ne
          if
            i32.const -1
            br 2
          end
          local.get 20
          local.get 33
          i64.extend_i32_u
          i64.const 48
          i64.shl
          i64.store
          i32.const 0
          br 1
        end
        local.get 20
        block (result i32)
          local.get 25
          i64.const 53
          i64.shl
          local.tee 28
          i64.const -9223372036854775808
          local.get 25
          i64.const 11
          i64.shr_u
          i64.const 1
          i64.and
          i64.sub
          i64.gt_u
          i32.const 0x884
          i32.load
          i32.const 0xc00
          i32.and
          local.tee 32
          i32.eqz
          br_if 0
          drop
          local.get 32
          i32.const 0xc00
          i32.ne
          local.get 28
          i64.const 0
          i64.ne
          i32.and
          local.get 33
          i32.eqz
          local.get 32
          i32.const 0x800
          i32.eq
          i32.eq
          i32.and
        end
        local.tee 32
        i64.extend_i32_u
        local.get 33
        i64.extend_i32_u
        i64.const 48
        i64.shl
        local.get 36
        i32.const 1
        i32.sub
        i64.extend_i32_u
        i64.const 52
        i64.shl
        i64.add
        local.get 25
        i64.const 11
        i64.shr_u
        i64.add
        i64.add
        i64.store
        i32.const 544
        i32.const 32
        local.get 32
        select
        i32.const 0
        local.get 28
        i64.const 0
        i64.ne
        select
      end
      local.tee 31
      i32.const 0
      i32.lt_s
      if
        local.get 19
        local.get 20
        call $masked_store64
        local.set 31
      end
      local.get 31
      local.get 22
      i32.const -513
      i32.and
      i32.or
      local.set 22
      i32.const 0
      i32.const 0x10006
      i32.store offset=0x894
      i32.const 0
      i32.const 0
      i32.load offset=0x888
      i32.const -513
      i32.and
      local.get 22
      i32.or
      i32.store offset=0x888
      i32.const 0
      local.set 23
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
      i32.load offset=8
      i32.const 0x10009
      call $endRecord
      drop
      i32.const 1
      return
      unreachable
    end
    local.get 23
    if
      local.get 23
      local.get 22
      call $x87_leave
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
  (export "r2" (func 6)))
