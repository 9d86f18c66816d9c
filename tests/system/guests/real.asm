; Real mode: entered from protected mode, interrupts through the vector table, 16-bit stack wrap,
; limits, far calls, operand and address size prefixes, and the way back.
%include "guest.inc"
main:
        mov esi, code16
        mov edi, 0x20000
        mov ecx, code16_end - code16
        rep movsb
        mov [back_esp], esp
        mov ax, 0x78
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov fs, ax
        mov gs, ax
        jmp 0x70:.sixteen_low & 0xffff
bits 16
.sixteen_low:
bits 32
        jmp finish
back:
        mov ax, DATA0
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, [back_esp]
        lidt [idtr]
        mov esi, 0x30000
        mov ecx, [esi]
        add esi, 4
.next:  test ecx, ecx
        jz .end
        lodsd
        value eax
        dec ecx
        jmp .next
.end:   line
        jmp finish

bits 16
code16:
code16_end:
bits 32
back_esp: dd 0
%include "end.inc"
