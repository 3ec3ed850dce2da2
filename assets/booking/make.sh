#!/bin/sh
# Makes the demo's second call, a customer who rings up about a booking; see ../speech.sh.
set -eu
cd "$(dirname "$0")"
. ../speech.sh

agent_voice() { espeak-ng -v en-us+m7 -p 45 -s 170 -w "$1" "$2"; }
customer_voice() { espeak-ng -v en-gb+f2 -p 55 -s 165 -w "$1" "$2"; }

turn agent        0 "Harbour Hotel, Marcus speaking. How can I help?"
turn customer   450 "Hi, I booked a double room for Friday, and I would like to stay one night longer."
turn agent      400 "Let me have a look. Under which name, please?"
turn customer   350 "Bennett. Two N, two T."
turn agent     1100 "Here it is. Saturday is free as well, at the same price."
turn customer   400 "Great. And is breakfast included?"
turn agent      350 "It is, from seven to ten, on the terrace if the weather is kind."
# Cross-talk: she has heard enough.
turn customer  -700 "Oh, lovely."
turn agent      300 "Then it is two nights, and I will send you a new confirmation."
turn customer   350 "Perfect, thank you. See you on Friday."
turn agent      300 "We look forward to it. Goodbye."
finish
