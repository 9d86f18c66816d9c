; Code that changes while it runs: stores of every kind into instructions ahead, behind and across
; pages, by the same and by other linear addresses, by a device; pages mapped twice, remapped and
; taken away under code that runs; instructions inside instructions. Every routine runs often
; enough to be hot. Results are sums that can be worked out by hand (in the comments).
;
; Linear 1000000 on: pages as `pages` below says; physical 400000 to 407FFF is also mapped where it
; lies, by a large page. Ports E0H, E4H: a device that writes the doubleword E4H at the address E0H.
%include "guest.inc"
ROUNDS equ 40
WINDOW equ 0x1000000
PHYSICAL equ 0x400000
TABLE equ 0x301000

; copy label, label_end, address
%macro copy 3
        mov esi, %1
        mov edi, %3
        mov ecx, %2 - %1
        rep movsb
%endmacro
; map page, frame, bits: the window's page `page`, without a flush
%macro map 3
        mov dword [TABLE + 4 * (%1)], PHYSICAL + 0x1000 * (%2) + (%3)
%endmacro
%macro show 1
        say %1
        value edx
        line
%endmacro

main:
        mov edi, 0x300000
        xor eax, eax
        mov ecx, 2048
        rep stosd
        mov eax, cr4
        or eax, 0x10
        mov cr4, eax
        mov eax, 0x83
        mov edi, 0x300000
        mov ecx, 4
.large: stosd
        add eax, 0x400000
        loop .large
        mov dword [0x300000 + 4 * 4], TABLE + 3
        call identity
        mov eax, 0x300000
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80010000
        mov cr0, eax

        call ahead
        call behind
        call stores
        call pushes
        call copies
        call neighbours
        call other_address
        call straddling
        call aliases
        call remapped
        call reloaded
        call fallthrough
        call missing
        call device
        call inside
        call recursion
        call tables
        call irreducible
        call rewritten
        ret

identity:
        mov eax, PHYSICAL + 3
        mov edi, TABLE
        mov ecx, 8
.page:  stosd
        add eax, 0x1000
        loop .page
        ret
flush:  mov eax, cr3
        mov cr3, eax
        ret

; --- Stores into the code that runs ----------------------------------------------------------------

; The next instruction's operand: 1 + 2 + .. + 40 = 334.
ahead:  xor edx, edx
        mov ecx, 1
.loop:  mov [.next + 2], ecx
.next:  add edx, strict dword 0        ; 81 C2 imm32
        inc ecx
        cmp ecx, ROUNDS
        jbe .loop
        show "ahead"
        ; And with a jump between, as the manual asks for other processors.
        xor edx, edx
        mov ecx, 1
.loop2: mov [.next2 + 2], ecx
        jmp .next2
.next2: add edx, strict dword 0
        inc ecx
        cmp ecx, ROUNDS
        jbe .loop2
        show "ahead, jump"
        ret

; An operand that has been executed in this round: 0 + 1 + .. + 39 = 30C.
behind: xor edx, edx
        mov dword [.next + 2], 0
        mov ecx, 1
.next:  add edx, strict dword 0
        mov [.next + 2], ecx
        inc ecx
        cmp ecx, ROUNDS
        jbe .next
        show "behind"
        ; INC becomes DEC and back: 40 rounds, 20 up and 20 down: 0.
        xor edx, edx
        mov ecx, ROUNDS
.flip:  inc edx                         ; 42, DEC is 4A
        xor byte [.flip], 8
        dec ecx
        jnz .flip
        show "opcode"
        ; The jump's own displacement: 40 rounds alternate between two additions, 20 * 1 + 20 * 100.
        xor edx, edx
        mov ecx, ROUNDS
.turn:  jmp short .one                  ; EB, displacement
.one:   inc edx
        jmp short .on
.other: add edx, 0x100
.on:    xor byte [.turn + 1], (.one - .turn - 2) ^ (.other - .turn - 2)
        dec ecx
        jnz .turn
        show "displacement"
        ret

; Every way to store: each writes ECX (or less of it) over the same operand. 1 + .. + 40 = 334.
%macro store 2+ ; text, instructions
        xor edx, edx
        mov dword [%%next + 2], 0
        mov ecx, 1
        mov edi, %%next + 2
%%loop: mov [scratch], ecx
        mov dword [scratch + 4], 0
        mov dword [scratch + 8], 0
        mov dword [scratch + 12], 0
        %2
        jmp %%next
        align 16, nop
        times 14 nop
%%next: add edx, strict dword 0
        dd 0x90909090, 0x90909090, 0x90909090
        mov dword [%%next + 6], 0x90909090
        mov dword [%%next + 10], 0x90909090
        mov dword [%%next + 14], 0x90909090
        inc ecx
        cmp ecx, ROUNDS
        jbe %%loop
        show %1
%endmacro
%macro restore 0 ; what follows the operand is no instruction's any more: NOPs again
        mov dword [edi + 4], 0x90909090
        mov dword [edi + 8], 0x90909090
        mov dword [edi + 12], 0x90909090
%endmacro
stores: mov eax, cr4
        or eax, 0x600
        mov cr4, eax
        fninit
        store "mov8", mov [edi], cl
        store "mov16", mov [edi], cx
        store "moffs", call store_moffs
        store "add", add dword [edi], 1
        store "inc", inc dword [edi]
        store "xchg", call store_xchg
        store "xadd", call store_xadd
        store "cmpxchg", call store_cmpxchg
        store "cmpxchg8b", call store_cmpxchg8b
        store "setcc", call store_setcc
        store "pop", call store_pop
        store "bts", call store_bts
        store "shld", call store_shld
        store "stosd", call store_stosd
        store "movsb", call store_movsb
        store "fistp", call store_fistp
        store "fstp", call store_fstp
        store "movd", call store_movd
        store "movq", call store_movq
        store "movups", call store_movups
        store "movss", call store_movss
        store "movaps", call store_movaps
        store "movntdq", call store_movntdq
        store "maskmovq", call store_maskmovq
        store "fnstcw", call store_fnstcw       ; bit 6 is always 1: 40 * 40 more, D34
        ret

store_moffs:
        push eax
        mov eax, ecx
        mov [.to + 1], edi
.to:    mov [0], eax
        pop eax
        ret
store_xchg:
        push ecx
        xchg [edi], ecx
        pop ecx
        ret
store_xadd:
        push ecx
        sub ecx, [edi]
        lock xadd [edi], ecx
        pop ecx
        ret
store_cmpxchg:
        mov eax, [edi]
        lock cmpxchg [edi], ecx
        ret
store_cmpxchg8b:
        push edx
        push ebx
        push ecx
        mov ebx, ecx
        mov ecx, 0x90909090
        mov eax, [edi]
        mov edx, [edi + 4]
        lock cmpxchg8b [edi]
        pop ecx
        pop ebx
        pop edx
        ret
store_setcc:                            ; 1 each round, so ECX - 1 is added apart
        test ecx, ecx
        setnz [edi]
        lea edx, [edx + ecx - 1]
        ret
store_pop:
        push ecx
        pop dword [edi]
        ret
store_bts:                              ; bit by bit
        push ecx
        push ebx
        xor eax, eax
.bit:   btr dword [edi], eax
        shr ecx, 1
        jnc .zero
        bts dword [edi], eax
.zero:  inc eax
        cmp eax, 8
        jb .bit
        pop ebx
        pop ecx
        ret
store_shld:
        push ecx
        shl ecx, 24
        mov dword [edi], 0
        shld dword [edi], ecx, 8
        pop ecx
        ret
store_stosd:
        push edi
        mov eax, ecx
        stosd
        pop edi
        ret
store_movsb:
        push edi
        push ecx
        mov esi, scratch
        mov ecx, 4
        rep movsb
        pop ecx
        pop edi
        ret
store_fistp:
        fild dword [scratch]
        fistp dword [edi]
        ret
store_fstp:                             ; the bits of a denormal, which come back as they were
        fld dword [scratch]
        fstp dword [edi]
        ret
store_movd:
        movd mm0, ecx
        movd [edi], mm0
        emms
        ret
store_movq:
        movd mm0, ecx
        movq [edi], mm0
        emms
        restore
        ret
store_movups:
        movd xmm0, ecx
        movups [edi], xmm0
        restore
        ret
store_movss:
        movd xmm0, ecx
        movss [edi], xmm0
        ret
store_movaps:                           ; %%next + 2 is at 16n: see the alignment above
        movd xmm0, ecx
        movaps [edi], xmm0
        restore
        ret
store_movntdq:
        movd xmm0, ecx
        movntdq [edi], xmm0
        restore
        ret
store_maskmovq:
        movd mm0, ecx
        mov eax, 0x80808080
        movd mm1, eax
        maskmovq mm0, mm1
        emms
        ret
store_fnstcw:                           ; the control word's low byte is the count
        push ecx
        mov [scratch], ecx
        fldcw [scratch]
        fnstcw [edi]
        and byte [edi + 1], 0
        fninit
        pop ecx
        ret

; The stack lies over code: pushes, calls and PUSHAD write operands. 4 * (1 + .. + 40) = CD0.
pushes: xor edx, edx
        mov ecx, 1
        mov [scratch], esp
.loop:  mov esp, .a + 6
        push ecx
        jmp .a
.a:     add edx, strict dword 0
        mov esp, .b + 6 + 28            ; PUSHAD: EAX, ECX, .. EDI from above
        mov eax, ecx
        mov edi, ecx
        mov esi, ecx
        pushad
        mov dword [.b + 6], 0x90909090
        mov dword [.b + 10], 0x90909090
        mov dword [.b + 14], 0x90909090
        mov dword [.b + 18], 0x90909090
        mov dword [.b + 22], 0x90909090
        mov dword [.b + 26], 0x90909090
        mov dword [.b + 30], 0x90909090
        jmp .b
        align 16, nop
.b:     add edx, strict dword 0
        times 32 nop
        mov esp, .c + 6
        push dword [.b + 2]
        jmp .c
.c:     add edx, strict dword 0
        ; A call writes its return address over the operand, which the callee puts right.
        mov esp, .d + 6
        call .callee
.d:     add edx, strict dword 0
        mov esp, [scratch]
        inc ecx
        cmp ecx, ROUNDS
        jbe .loop
        show "pushes"
        ret
.callee:
        cmp dword [esp], .d
        jne .wrong
        mov [esp], ecx
        jmp .d
.wrong: mov edx, 0xdead
        jmp .d

; Two bodies copied in turn to one place: 20 * 1 + 20 * 1000 = 4E34 (decimal 20020).
copies: xor edx, edx
        mov ebx, ROUNDS / 2
.loop:  copy one, one_end, PHYSICAL
        mov eax, PHYSICAL
        call eax
        copy thousand, thousand_end, PHYSICAL
        mov eax, PHYSICAL
        call eax
        dec ebx
        jnz .loop
        show "copies"
        ret
one:    add edx, 1
        ret
one_end:
thousand:
        add edx, 1000
        ret
thousand_end:

; Data in the page of the code, written every round by the code itself: 28 (decimal 40) twice.
neighbours:
        xor edx, edx
        mov dword [.data], 0
.loop:  inc dword [.data]
        add edx, 1
        cmp edx, ROUNDS
        jb .loop
        show "neighbours"
        mov edx, [.data]
        show "data"
        ret
.data:  dd 0

; --- Other linear addresses ---------------------------------------------------------------------------

; The operand is written at another linear address; CPUID serializes. 1 + .. + 40 = 334.
other_address:
        copy operand, operand_end, PHYSICAL
        xor edx, edx
        mov ecx, 1
.loop:  mov [PHYSICAL + 2], ecx
        pushad
        xor eax, eax
        cpuid
        popad
        mov eax, WINDOW
        call eax
        inc ecx
        cmp ecx, ROUNDS
        jbe .loop
        show "other address"
        ret
operand:
        add edx, strict dword 0
        ret
operand_end:

; An instruction that runs over into the next page; its bytes are written on both sides.
; 3 bytes here, 3 there: operand ECX + (ECX << 24): 334 + (334 << 24) = 34000334.
straddling:
        copy operand, operand_end, WINDOW + 0xffd
        xor edx, edx
        mov ecx, 1
.loop:  mov [WINDOW + 0xfff], cl
        mov [WINDOW + 0x1002], cl
        mov eax, WINDOW + 0xffd
        call eax
        inc ecx
        cmp ecx, ROUNDS
        jbe .loop
        show "straddling"
        ; The second page is another one every other round: frames 1 and 2. Operands 10 and 20.
        mov dword [WINDOW + 0xfff], 0x10
        mov esi, WINDOW + 0x1000
        mov edi, PHYSICAL + 0x2000
        mov ecx, 16
        rep movsb
        mov dword [PHYSICAL + 0x1000], 0x000000    ; bytes 1 to 3 of the operand, and RET
        mov byte [PHYSICAL + 0x1003], 0xc3
        mov dword [PHYSICAL + 0x2000], 0x000001
        mov byte [PHYSICAL + 0x2003], 0xc3
        xor edx, edx
        mov ecx, ROUNDS / 2             ; 20 * 10 + 20 * 110 = 1680
.swap:  map 1, 2, 3
        invlpg [WINDOW + 0x1000]
        mov eax, WINDOW + 0xffd
        call eax
        map 1, 1, 3
        invlpg [WINDOW + 0x1000]
        mov eax, WINDOW + 0xffd
        call eax
        dec ecx
        jnz .swap
        show "second page"
        ret

; One frame at two addresses: code that says where it is. 40 * (2000 + 3000 + 2 * 5) as sums of
; what is beyond the window: 40 * (2005 + 3005) = C8190.
aliases:
        copy where, where_end, PHYSICAL + 0x5000
        map 2, 5, 3
        map 3, 5, 3
        call flush
        xor edx, edx
        mov ecx, ROUNDS
.loop:  mov eax, WINDOW + 0x2000
        call eax
        mov eax, WINDOW + 0x3000
        call eax
        dec ecx
        jnz .loop
        show "aliases"
        call identity
        call flush
        ret
where:  call .here
.here:  pop eax
        sub eax, WINDOW
        add edx, eax
        ret
where_end:

; --- Pages that change under the code ------------------------------------------------------------------

; The page of a routine is another frame every call, by INVLPG. 40 * (1 + 1000) = 9C68.
remapped:
        copy one, one_end, PHYSICAL + 0x3000
        copy thousand, thousand_end, PHYSICAL + 0x4000
        xor edx, edx
        mov ecx, ROUNDS
.loop:  map 0, 3, 3
        invlpg [WINDOW]
        mov eax, WINDOW
        call eax
        map 0, 4, 3
        invlpg [WINDOW]
        mov eax, WINDOW
        call eax
        dec ecx
        jnz .loop
        show "remapped"
        ret

; The same by CR3, from code in the window that calls and jumps into the next page directly:
; the caller at page 1, the routine at page 0. 40 * (1 + 1000) = 9C68.
reloaded:
        copy caller, caller_end, PHYSICAL + 0x1000
        xor edx, edx
        mov ecx, ROUNDS
.loop:  map 0, 3, 3
        call flush
        mov eax, WINDOW + 0x1000
        call eax
        map 0, 4, 3
        call flush
        mov eax, WINDOW + 0x1000
        call eax
        dec ecx
        jnz .loop
        show "reloaded"
        ; The routine itself changes the mapping of its caller, which goes on in another frame:
        ; frames 5 and 6 hold the caller with additions of 10 and 20 behind the call.
        copy changing, changing_end, PHYSICAL + 0x5000
        copy changing, changing_end, PHYSICAL + 0x6000
        mov byte [PHYSICAL + 0x6000 + changing_operand - changing], 0x20
        copy change, change_end, PHYSICAL + 0x2000
        xor edx, edx                    ; 20 * 10 + 20 * 20 = 3C0
        map 1, 5, 3
        call flush
        mov ecx, ROUNDS
.other: mov eax, WINDOW + 0x1000
        call eax
        dec ecx
        jnz .other
        show "changing"
        call identity
        call flush
        ret
caller: call caller - 0x1000            ; position: page 1 calls page 0
        ret
caller_end:
changing:
        mov eax, WINDOW + 0x2000
        call eax
        add edx, 0x10                   ; 83 C2 imm8
changing_operand equ $ - 1
        ret
changing_end:
change: xor dword [TABLE + 4], (PHYSICAL + 0x5000) ^ (PHYSICAL + 0x6000)
        invlpg [WINDOW + 0x1000]
        ret
change_end:

; A routine that runs on into the next page, which is another frame every other time.
; 40 * 2 for the first half, 40 * (1 + 1000) for the second: 9CB8.
fallthrough:
        mov edi, WINDOW + 0xff0
        mov al, 0x90
        mov ecx, 16
        rep stosb
        mov dword [WINDOW + 0xff8], 0x9001c283  ; add edx, 1; nop
        copy one, one_end, PHYSICAL + 0x3000
        copy thousand, thousand_end, PHYSICAL + 0x4000
        xor edx, edx
        mov ecx, ROUNDS
.loop:  map 1, 3, 3
        invlpg [WINDOW + 0x1000]
        mov eax, WINDOW + 0xff0
        call eax
        map 1, 4, 3
        invlpg [WINDOW + 0x1000]
        mov eax, WINDOW + 0xff0
        call eax
        dec ecx
        jnz .loop
        show "fallthrough"
        call identity
        call flush
        ret

; The page is taken away under a routine that calls into it; the fault's handler maps it again.
; 40 * 1 and 40 faults at the routine's address.
missing:
        copy one, one_end, PHYSICAL
        copy caller, caller_end, PHYSICAL + 0x1000
        mov dword [hook], .mend
        mov dword [scratch], 0
        xor edx, edx
        mov ecx, ROUNDS
.loop:  mov dword [TABLE], 0
        invlpg [WINDOW]
        mov eax, WINDOW + 0x1000
        call eax
        mov eax, WINDOW + 0x1000
        call eax
        dec ecx
        jnz .loop
        show "missing"                  ; 80 calls: 50
        mov edx, [scratch]
        show "faults"                   ; 40: 28
        mov dword [hook], 0
        ret
.mend:  cmp dword [ebp], 14
        jne .wrong
        mov eax, cr2
        cmp eax, WINDOW
        jne .wrong
        cmp [ebp + 8], eax
        jne .wrong
        inc dword [scratch]
        map 0, 0, 3
        ret
.wrong: mov dword [scratch], 0xdead
        map 0, 0, 3
        ret

; --- A device ------------------------------------------------------------------------------------------

; 1 + .. + 40 = 334.
device: copy operand, operand_end, PHYSICAL
        xor edx, edx
        mov ecx, 1
.loop:  mov eax, PHYSICAL + 2
        out 0xe0, eax
        mov eax, ecx
        out 0xe4, eax
        mov eax, WINDOW
        call eax
        inc ecx
        cmp ecx, ROUNDS
        jbe .loop
        show "device"
        ret

; --- Shapes of code ------------------------------------------------------------------------------------

; An instruction inside another: B8 imm32 holds 42 (INC EDX) C3. Its middle is called every round
; and passed over every round: 40 * (1 + 100) = 2828.
inside: xor edx, edx
        mov ecx, ROUNDS
.loop:  call .whole
        add edx, 0x100
        call .whole + 1                 ; the operand's first byte
        dec ecx
        jnz .loop
        show "inside"
        ret
.whole: mov eax, 0x9090c342             ; B8, 42 INC EDX, C3 RET, 90 90
        ret

; Fibonacci by recursion: F(15) = 610 = 262.
recursion:
        mov eax, 15
        call .of
        mov edx, eax
        show "recursion"
        ret
.of:    cmp eax, 2
        jb .small
        push eax
        dec eax
        call .of
        xchg eax, [esp]
        sub eax, 2
        call .of
        pop ecx
        add eax, ecx
.small: ret

; Indirect branches of each kind: by a table, by a register, a pushed address, RET with a count.
; 40 * (1 + 10 + 100 + 1000) = 40 * 1111 = 2AAA8.
tables: xor edx, edx
        mov ecx, ROUNDS
.loop:  mov eax, ecx
        and eax, 3
        jmp [.table + 4 * eax]
.case0:
.case1:
.case2:
.case3: add edx, 1
        push dword .after
        push dword .pushed
        ret
.pushed:
        add edx, 0x10
        ret
.after: push dword 1
        push dword 2
        call [.table + 16]
        push ecx
        mov ecx, .called
        call ecx
        pop ecx
        dec ecx
        jnz .loop
        show "tables"
        ret
.pair:  add edx, 0x100
        ret 8
.called:
        add edx, 0x1000
        ret
.table: dd .case0, .case1, .case2, .case3, .pair

; A loop that is entered in the middle, by a jump from outside and by calls.
; 40 times: entered at B with 3 turns: A adds 1 (twice), B adds 100 (three times): 40 * 302 = 7850.
irreducible:
        xor edx, edx
        mov ecx, ROUNDS
.loop:  mov ebx, 3
        test ecx, 1
        jz .even
        jmp .b
.even:  call .enter
        jmp .on
.enter: jmp .b2
.a:     inc edx
.b:     add edx, 0x100
        dec ebx
        jnz .a
        jmp .on
.a2:    inc edx
.b2:    add edx, 0x100
        dec ebx
        jnz .a2
        ret
.on:    dec ecx
        jnz .loop
        show "irreducible"
        ret

; Routines of many lengths written one after another over the same place, each called twice:
; round n: n instructions of INC EDX, then RET: 2 * (1 + .. + 40) = 668.
rewritten:
        xor edx, edx
        mov ebx, 1
.loop:  mov edi, PHYSICAL + 0x100
        mov al, 0x42
        mov ecx, ebx
        rep stosb
        mov byte [edi], 0xc3
        mov eax, WINDOW + 0x100
        call eax
        mov eax, WINDOW + 0x100
        call eax
        inc ebx
        cmp ebx, ROUNDS
        jbe .loop
        show "rewritten"
        ret

%include "end.inc"
