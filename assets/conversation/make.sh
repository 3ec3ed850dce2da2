#!/bin/sh
# Makes the simulator's built-in conversation; see ../speech.sh.
set -eu
cd "$(dirname "$0")"
. ../speech.sh

agent_voice() { espeak-ng -v en-us+f3 -p 60 -s 165 -w "$1" "$2"; }
customer_voice() { espeak-ng -v en-gb-scotland+m3 -p 40 -s 155 -w "$1" "$2"; }

turn customer     0 "Hello?"
turn agent      400 "Good morning, this is Emily from Northwind Outdoor. You asked us to call you back about an order."
turn customer   350 "Oh, yes. I ordered a tent two weeks ago, and it still has not arrived."
turn agent      500 "I am sorry to hear that. Could you give me the order number, please?"
turn customer   700 "Sure. It is four, seven, one, one, two, nine."
turn agent      900 "Thank you, I see it here. The parcel came back to us, because the address was not complete."
# Cross-talk: the customer falls into the agent's last words.
turn customer -1400 "Not complete? But I have ordered from you before."
turn agent      400 "I know, and I apologise. Is it still twenty two, Mill Lane?"
turn customer   450 "That is right, twenty two."
turn agent      400 "Then I will send a new one today, by express and free of charge."
turn customer   350 "Wonderful. Thank you very much for your help."
turn agent      400 "You are welcome. Have a lovely day. Goodbye."
turn customer   300 "Bye."
finish
