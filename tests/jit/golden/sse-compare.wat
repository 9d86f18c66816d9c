;; comisd xmm0, xmm1; ja $+3; inc edx
;; 2 instructions, 7 bytes; 560 bytes of wasm
(module
  (import "env" "memory" (memory 1))
  (import "env" "comisd" (func $comisd (param v128 v128) (result i32)))
  (import "env" "chain" (func $chain (param i32) (result i32)))
  (func (;2;) (param i32 i32) (result i32)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 v128 v128)
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
      local.get 19
      i32.eqz
      if
        i32.const 512
        local.set 16
        i32.const 0
        i32.load offset=0x980
        i32.const 0x1f80
        i32.and
        i32.const 0x1f80
        i32.ne
        br_if 1
        i32.const 0x7fd
        i32.const 0
        i32.const 0
        i32.load offset=0x980
        i32.const 0xe060
        i32.and
        i32.const 32
        i32.eq
        select
        local.set 19
      end
      block
        block
          local.get 19
          i32.eqz
          br_if 0
          local.get 20
          f64x2.extract_lane 0
          i64.reinterpret_f64
          i64.const 9218868437227405312
          i64.and
          i64.eqz
          if
            local.get 20
            f64x2.extract_lane 0
            f64.const 0
            f64.ne
            br_if 1
          end
          local.get 20
          f64x2.extract_lane 0
          local.get 20
          f64x2.extract_lane 0
          f64.ne
          br_if 0
          local.get 21
          f64x2.extract_lane 0
          i64.reinterpret_f64
          i64.const 9218868437227405312
          i64.and
          i64.eqz
          if
            local.get 21
            f64x2.extract_lane 0
            f64.const 0
            f64.ne
            br_if 1
          end
          local.get 21
          f64x2.extract_lane 0
          local.get 21
          f64x2.extract_lane 0
          f64.ne
          br_if 0
          local.get 20
          f64x2.extract_lane 0
          local.get 21
          f64x2.extract_lane 0
          f64.lt
          local.get 20
          f64x2.extract_lane 0
          local.get 21
          f64x2.extract_lane 0
          f64.eq
          i32.const 6
          i32.shl
          i32.or
          local.set 13
          br 1
        end
        local.get 20
        local.get 21
        call $comisd
        local.set 13
      end
      i32.const 0
      local.set 10
      local.get 14
      i32.const 2
      i32.sub
      local.set 14
      local.get 13
      i32.const 65
      i32.and
      i32.eqz
      if
        i32.const 0x1c00
        local.set 16
        br 1
      end
      i32.const 0x1800
      local.set 16
      br 0
      unreachable
    end
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
