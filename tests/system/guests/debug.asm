; Debug exceptions: single step (also over REP, POPF, IRET, INT n and MOV SS), instruction and data
; breakpoints, RF, DR6, general detect, DR4 and DR5.
%include "guest.inc"
main:
        mov dword [hook], on_debug
        mov word [idt + 0x40 * 8 + 4], 0x8e00
        ; single step
        mov dword [base], .first
        push dword 0x102
        popfd
.first: nop
        mov eax, 1
        mov ecx, 3
        mov edi, scratch
        rep stosb
        mov dx, ss
        mov ss, dx
        nop
        nop
        int 0x40
        pushfd
        and dword [esp], ~0x100
        popfd
        nop
        ; instruction breakpoint at .here, RF lets it pass
        mov eax, .here
        mov dr0, eax
        mov eax, 0x2
        mov dr7, eax
        mov dword [base], .here
.here:  nop
        nop
        ; with RF set by IRET it is not hit at all
        mov eax, .there
        mov dr1, eax
        mov eax, 0x8
        mov dr7, eax
        mov dword [base], .there
        pushfd
        or dword [esp], 0x10000
        push dword CODE0
        push dword .there
        iretd
.there: nop
        mov dword [base], .data
        ; data breakpoints: write 4 bytes, read or write 1 byte
        mov eax, scratch + 16
        mov dr2, eax
        mov eax, scratch + 33
        mov dr3, eax
        mov eax, 0x3d0000a0
        mov dr7, eax
.data:  mov eax, [scratch + 16]
        mov [scratch + 19], al
        mov [scratch + 20], al
        mov [scratch + 13], eax
        mov al, [scratch + 33]
        mov eax, [scratch + 32]
        inc byte [scratch + 33]
        push dword [scratch + 16]
        pop dword [scratch + 16]
        mov esi, scratch + 8
        mov edi, scratch + 64
        mov ecx, 8
        rep movsd
        mov edi, scratch
        mov ecx, 12
        xor eax, eax
        rep stosd
        xor eax, eax
        mov dr7, eax
        mov [scratch + 16], eax
        ; general detect
        mov dword [base], .detect
        mov eax, 0x2000
        mov dr7, eax
.detect:
        mov eax, dr0
        ; registers
        mov eax, 0xffffffff
        mov dr6, eax
        mov eax, dr6
        value eax
        mov eax, 0xffff07ff
        mov dr7, eax
        mov eax, dr7
        value eax
        xor eax, eax
        mov dr7, eax
        mov eax, dr5
        value eax
        line
        mov eax, cr4
        or eax, 8
        mov cr4, eax
        mov dword [hook], 0
        fault "dr4 with DE", mov eax, dr4
        jmp finish

on_debug:
        say "#"
        value [ebp]
        mov eax, [ebp + 8]
        sub eax, [base]
        value eax
        mov eax, [ebp + 16]
        value eax
        mov eax, dr6
        value eax
        xor eax, eax
        mov dr6, eax
        value [ebp - 8 - 32 + 24]       ; ecx
        line
        cmp dword [ebp], 1
        jne .done
        ; an instruction breakpoint's handler sets RF
        mov eax, [ebp + 8]
        mov edx, dr0
        cmp eax, edx
        jne .done
        or dword [ebp + 16], 0x10000
.done:  ret

base:   dd 0
%include "end.inc"
