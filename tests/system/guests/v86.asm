; Virtual-8086 mode: entry by IRET, segment arithmetic, what IOPL allows, interrupts out of it with
; the segment registers on the ring 0 stack, INT n and port access faults.
%include "guest.inc"
main:
        ; code of the task to 20000H
        mov esi, code86
        mov edi, 0x20000
        mov ecx, code86_end - code86
        rep movsb
        mov edi, tss + 0x68
        mov al, 0xff
        mov ecx, 33
        rep stosb
        mov byte [tss + 0x68 + 0xe9 / 8], 0
        mov dword [hook], on_event
        mov word [idt + 3 * 8 + 4], 0xee00
        mov word [idt + 0x20 * 8 + 4], 0xee00
        mov word [idt + 0x40 * 8 + 4], 0xee00
        mov dword [flags86], 0x20002
        call enter86
        mov dword [flags86], 0x23202
        call enter86
        jmp finish

enter86:
        mov [back_esp], esp
        mov eax, [flags86]
        say "enter"
        value eax
        line
        push dword 0x6666               ; gs
        push dword 0x5555               ; fs
        push dword 0x3000               ; ds
        push dword 0x4000               ; es
        push dword 0x2800               ; ss
        push dword 0x0100               ; esp
        push eax
        push dword 0x2000               ; cs
        push dword 0
        iretd

; Prints the frame. INT3 and INT 40H go on behind themselves, a fault behind the instruction, whose
; length the guest left in DX; INT 20H, allowed or not, ends.
on_event:
        say "event"
        value [ebp]
        value [ebp + 4]
        value [ebp + 8]
        value [ebp + 12]
        value [ebp + 16]
        mov eax, ebp
        sub eax, ring0_top
        value eax
        value [ebp + 20]
        value [ebp + 24]
        value [ebp + 28]
        value [ebp + 32]
        value [ebp + 36]
        value [ebp + 40]
        movzx eax, word [ebp - 8]
        value eax
        mov eax, fs
        value eax
        line
        movzx eax, word [ebp + 12]
        shl eax, 4
        add eax, [ebp + 8]
        cmp word [eax], 0x20cd          ; INT 20H
        je .end
        cmp dword [ebp], 0x20
        je .end
        cmp dword [ebp], 3
        je .done
        cmp dword [ebp], 0x40
        je .done
        movzx eax, word [ebp - 8 - 32 + 20]
        add [ebp + 8], eax
.done:  ret
.end:
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        mov esp, [back_esp]
        ret

bits 16
code86:
        mov ax, ds
        mov bx, ss
        mov word [0], 0x1234
        push ax
        mov dx, 1
        cli
        mov dx, 1
        sti
        mov dx, 1
        pushf
        mov dx, 1
        popf
        mov dx, 2
        int 0x40
        int3
        mov dx, 2
        in al, 0x80
        mov al, 'v'
        out 0xe9, al
        mov dx, 1
        hlt
        mov dx, 3
        mov eax, cr0
        mov dx, 3
        sldt ax
        mov dx, 2
        lock inc cx
        mov ax, 0x2100
        mov ds, ax
        mov si, 0xffff
        mov dx, 1
        lodsw
        jmp 0x2000:.far - code86
.far:
        call 0x2000:.sub - code86
        jmp .end
.sub:   retf
.end:
        int 0x20
        nop
code86_end:
bits 32
        align 4
flags86: dd 0
back_esp: dd 0
%include "end.inc"
