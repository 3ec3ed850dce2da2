#!/bin/sh
# Makes the demo's third call, a customer whose internet is slow; see ../speech.sh.
set -eu
cd "$(dirname "$0")"
. ../speech.sh

agent_voice() { espeak-ng -v en-gb+f4 -p 50 -s 168 -w "$1" "$2"; }
customer_voice() { espeak-ng -v en-us+m2 -p 35 -s 158 -w "$1" "$2"; }

turn agent        0 "Lakeside Internet, you are speaking with Priya. What is the matter?"
turn customer   400 "My connection has been slow since Monday. Films stop every few minutes."
turn agent      450 "That is annoying. I am testing your line now."
turn customer   300 "Go ahead."
turn agent     2200 "The line itself is fine. Where does your router stand?"
turn customer   500 "In the cupboard, behind the winter coats."
# Cross-talk: both start at once.
turn agent      350 "I see. That may well be the reason."
turn customer  -900 "You think it is the coats?"
turn agent      500 "Wool is not good for radio. Could you put it on a shelf, please?"
turn customer  1800 "All right, it is on the shelf. Oh. That is three times as fast."
turn agent      400 "Then the coats it was."
turn customer   350 "Ha! Thank you. Bye."
finish
