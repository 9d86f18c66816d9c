; String operations: page faults in the middle with registers as far as it came, overlaps, DF,
; REPE and REPNE, counts, segment overrides, restart after the fault was mended.
%include "guest.inc"
main:
        ; 1000000: page table; pages 0 and 2 present, 1 and 3 not
        mov edi, 0x300000
        xor eax, eax
        mov ecx, 2048
        rep stosd
        mov eax, cr4
        or eax, 0x10
        mov cr4, eax
        mov eax, 0x87
        mov edi, 0x300000
        mov ecx, 4
.map:   stosd
        add eax, 0x400000
        loop .map
        mov dword [0x300000 + 4 * 4], 0x301007
        mov dword [0x301000], 0x400007
        mov dword [0x301008], 0x402007
        mov eax, 0x300000
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80010000
        mov cr0, eax
        mov dword [hook], mend

        say "movsd into a hole"
        mov esi, 0x400000
        mov edi, 0x1000ff0
        mov ecx, 12
        rep movsd
        call show
        call unmap
        say "movsd from a hole"
        mov esi, 0x1000ff6
        mov edi, 0x500000
        mov ecx, 5
        rep movsd
        call show
        call unmap
        say "stosb"
        mov edi, 0x1000fff
        mov ecx, 3
        mov al, 0x5a
        rep stosb
        call show
        call unmap
        say "stosw across"
        mov edi, 0x1000fff
        mov ecx, 1
        rep stosw
        call show
        call unmap
        say "stosd down"
        std
        mov edi, 0x1002008
        mov ecx, 5
        rep stosd
        cld
        call show
        call unmap
        say "scasb"
        mov edi, 0x1000f00
        mov ecx, 0x200
        mov al, 0x77
        repne scasb
        call show
        call unmap
        say "cmpsb"
        mov esi, 0x400f00
        mov edi, 0x1000f00
        mov ecx, 0x200
        repe cmpsb
        call show
        call unmap
        say "lodsd"
        mov esi, 0x1000ffc
        mov ecx, 2
        rep lodsd
        call show
        call unmap

        ; no holes from here
        mov dword [0x301004], 0x401007
        mov eax, cr3
        mov cr3, eax
        say "overlap up"
        mov esi, pattern
        mov edi, 0x500000
        mov ecx, 8
        rep movsb
        mov esi, 0x500000
        mov edi, 0x500003
        mov ecx, 40
        rep movsb
        call show
        value [0x500000]
        value [0x500004]
        value [0x500008]
        value [0x500024]
        line
        say "overlap down"
        std
        mov esi, 0x500020
        mov edi, 0x500022
        mov ecx, 16
        rep movsw
        cld
        call show
        value [0x500000]
        value [0x500004]
        value [0x500020]
        line
        say "overlap words"
        mov esi, 0x500000
        mov edi, 0x500001
        mov ecx, 6
        rep movsd
        call show
        value [0x500000]
        value [0x500004]
        value [0x500014]
        line
        say "repne scasb"
        mov edi, text
        mov ecx, 100
        mov al, 'q'
        repne scasb
        pushfd
        sub edi, text
        call show
        pop eax
        value eax
        line
        say "repe scasb"
        mov edi, text
        mov ecx, 100
        mov al, 't'
        repe scasb
        pushfd
        sub edi, text
        call show
        pop eax
        value eax
        line
        say "not found"
        mov edi, text
        mov ecx, 4
        mov al, '!'
        repne scasb
        pushfd
        sub edi, text
        call show
        pop eax
        value eax
        line
        say "repe cmpsb"
        mov esi, text
        mov edi, text2
        mov ecx, 100
        repe cmpsb
        pushfd
        sub edi, text2
        sub esi, text
        call show
        pop eax
        value eax
        line
        say "repne cmpsw"
        mov esi, text
        mov edi, text2 + 1
        mov ecx, 6
        repne cmpsw
        pushfd
        sub edi, text2
        sub esi, text
        call show
        pop eax
        value eax
        line
        say "count 0"
        xor ecx, ecx
        mov esi, 1
        mov edi, 2
        stc
        repe cmpsb
        pushfd
        call show
        pop eax
        value eax
        line
        say "many"
        mov edi, 0x500000
        mov ecx, 0x40000
        mov eax, 0x01020304
        rep stosd
        mov esi, 0x500000
        mov edi, 0x700002
        mov ecx, 0xfffff
        rep movsb
        call show
        value [0x600000 - 4]
        value [0x7ffffe]
        value [0x800001]
        line
        say "lods"
        mov esi, text
        mov eax, 0x11111111
        lodsb
        lodsw
        value eax
        lodsd
        value eax
        fs
        nop
        mov ax, 0x60
        mov fs, ax
        mov dword [0x200010], 0xfeedface
        mov esi, 0x10
        fs lodsd
        value eax
        line
        say "a16"
        mov dword [0x8000], 0x12345678
        mov esi, 0x44448000
        mov edi, 0x55559000
        mov ecx, 0x66660004
        a16 rep movsb
        call show
        value [0x9000]
        line
        say "outsb "
        mov esi, text
        mov edx, 0xe9
        mov ecx, 5
        rep outsb
        call show
        line
        say "insb"
        mov edi, 0x500000
        mov edx, 0x21
        mov ecx, 4
        rep insb
        call show
        value [0x500000]
        line
        say "limit"
        mov ax, 0x60
        mov es, ax
        mov edi, 0xff8
        mov ecx, 4
        mov dword [hook], limit
        rep stosd
        say " none"
        line
        jmp finish
limit:
        value [ebp]
        value [ebp - 8 - 32 + 24]
        value [ebp - 8 - 32]
        line
        jmp finish

show:   value esi
        value edi
        value ecx
        ret
unmap:  line
        mov dword [0x301004], 0
        mov eax, cr3
        mov cr3, eax
        ret

; The page fault's handler: prints CR2, ESI, EDI, ECX, and maps the page.
mend:
        say " #"
        value [ebp]
        value [ebp + 4]
        mov eax, cr2
        value eax
        value [ebp - 8 - 32 + 4]
        value [ebp - 8 - 32 + 0]
        value [ebp - 8 - 32 + 24]
        mov dword [0x301004], 0x401007
        ret

pattern: db "abcdefgh"
text:   db "the quick brown fox"
text2:  db "the quack brown fox"
%include "end.inc"
