; A fault with no usable table at all: the processor shuts down.
%include "guest.inc"
main:
        say "about to"
        line
        lidt [none]
        ud2
        say "never"
        line
        ret
none:   dw 0
        dd 0
%include "end.inc"
