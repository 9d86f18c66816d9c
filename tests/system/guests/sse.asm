; SSE in loops, where translated code keeps XMM registers and what it knows of MXCSR from one block to
; the next: rounding and flags that change, a denormal, an unmasked exception, FXRSTOR, CR0.TS, and
; accesses that miss. Sums are worked out by hand.
%include "guest.inc"
; Away from the code, which writes beside it would drop.
control equ scratch + 0xf00
seen    equ scratch + 0xf10
main:
        mov eax, cr4
        or eax, 0x600
        mov cr4, eax
        ; Rounding: 1/3 to nearest, down, up, to zero, sixteen times in turn.
        xor ecx, ecx
.rounding:
        mov eax, ecx
        and eax, 3
        mov ebx, eax
        shl eax, 13
        or eax, 0x1fa0
        mov [control], eax
        ldmxcsr [control]
        jmp .divide
.divide:
        movsd xmm0, [one]
        divsd xmm0, [three]
        movsd [scratch + 8 * ebx], xmm0
        inc ecx
        cmp ecx, 64
        jb .rounding
        say "rounding"
        value [scratch]
        value [scratch + 8]
        value [scratch + 16]
        value [scratch + 24]
        line
        ; Flags: cleared every fourth time, exact, exact, inexact, exact: 16 times 20H + 20H.
        xor ecx, ecx
        xor edi, edi
.flags: mov eax, ecx
        and eax, 3
        jnz .keep
        mov dword [control], 0x1f80
        ldmxcsr [control]
.keep:  movsd xmm0, [one]
        cmp eax, 2
        je .inexact
        addsd xmm0, [one]
        jmp .add
.inexact:
        divsd xmm0, [three]
.add:   stmxcsr [control]
        mov eax, [control]
        and eax, 0x3f
        add edi, eax
        inc ecx
        cmp ecx, 64
        jb .flags
        say "flags"
        value edi
        line
        ; A denormal among ones: DE from round 28H on. It is lost in the sum.
        mov edi, scratch
        xor ecx, ecx
.fill:  mov dword [edi + 8 * ecx], 0
        mov dword [edi + 8 * ecx + 4], 0x3ff00000
        inc ecx
        cmp ecx, 64
        jb .fill
        mov dword [edi + 8 * 0x28], 1
        mov dword [edi + 8 * 0x28 + 4], 0
        mov dword [control], 0x1fa0
        ldmxcsr [control]
        xorpd xmm0, xmm0
        xor ecx, ecx
        xor edx, edx
.denormal:
        addsd xmm0, [edi + 8 * ecx]
        stmxcsr [control]
        test dword [control], 2
        jz .none
        test edx, edx
        jnz .none
        mov edx, ecx
.none:  inc ecx
        cmp ecx, 64
        jb .denormal
        say "denormal"
        value edx
        value [control]
        movsd [scratch], xmm0
        value [scratch + 4]
        line
        ; ZE unmasked from round 20H on; a division by zero in round 30H. The handler masks it for that one.
        mov dword [hook], on_exception
        mov dword [control], 0x1fa0
        ldmxcsr [control]
        xor ecx, ecx
        xor edx, edx
        movsd xmm1, [three]
.unmasked:
        mov eax, 0x1fa0
        cmp ecx, 0x20
        jb .masked
        mov eax, 0x1da0
.masked:
        mov [control], eax
        ldmxcsr [control]
        jmp .load
.load:
        movsd xmm0, [one]
        cmp ecx, 0x30
        jne .three
        xorpd xmm1, xmm1
.three: divsd xmm0, xmm1
        movsd xmm1, [three]
        inc ecx
        cmp ecx, 64
        jb .unmasked
        say "unmasked"
        value [seen]
        value [seen + 4]
        value [seen + 8]
        stmxcsr [control]
        value [control]
        line
        ; FXRSTOR every eighth time of 60 brings back 2: four times one since.
        mov dword [control], 0x1f80
        ldmxcsr [control]
        movsd xmm2, [one]
        addsd xmm2, xmm2
        fxsave [scratch]
        mov dword [control], 0x1fa0
        ldmxcsr [control]
        xor ecx, ecx
.restore:
        addsd xmm2, [one]
        mov eax, ecx
        and eax, 7
        cmp eax, 7
        jne .kept
        fxrstor [scratch]
.kept:  inc ecx
        cmp ecx, 60
        jb .restore
        say "restored"
        stmxcsr [control]
        value [control]
        movsd [scratch], xmm2
        value [scratch + 4]
        line
        ; CR0.TS set in round 20H: #NM at the next addition, whose handler clears it.
        mov dword [hook], on_unavailable
        xorpd xmm3, xmm3
        xor ecx, ecx
.switched:
        cmp ecx, 0x20
        jne .add_one
        mov eax, cr0
        or eax, 8
        mov cr0, eax
.add_one:
        addsd xmm3, [one]
        inc ecx
        cmp ecx, 64
        jb .switched
        say "switched"
        value [seen]
        value [seen + 4]
        movsd [scratch], xmm3
        value [scratch + 4]
        line
        ; 0 + 1 + ... + 63, each in a page that has not been read before.
        mov edi, 0x300000
        xor ecx, ecx
.pages: cvtsi2sd xmm0, ecx
        movsd [edi], xmm0
        add edi, 0x1000
        inc ecx
        cmp ecx, 64
        jb .pages
        mov eax, cr3
        mov cr3, eax
        mov edi, 0x300000
        xor ecx, ecx
        xorpd xmm4, xmm4
.sum:   movsd xmm5, [edi]
        addsd xmm4, xmm5
        add edi, 0x1000
        inc ecx
        cmp ecx, 64
        jb .sum
        say "sum"
        cvttsd2si eax, xmm4
        value eax
        cvtsd2si eax, xmm5
        value eax
        line
        ret

on_exception:                           ; vector, round, MXCSR
        mov eax, [ebp]
        mov [seen], eax
        mov [seen + 4], ecx
        stmxcsr [seen + 8]
        mov dword [control], 0x1fa0
        ldmxcsr [control]
        ret

on_unavailable:
        mov eax, [ebp]
        mov [seen], eax
        mov [seen + 4], ecx
        clts
        ret

        align 8
one:    dq 1.0
three:  dq 3.0
%include "end.inc"
