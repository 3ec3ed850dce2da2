# How the spoken calls here are made; read by each folder's make.sh, which says who speaks with which
# voice and what. Makes agent.wav and customer.wav (8 kHz, mono, µ-law, equally long) and script.toml, which says who
# speaks when. The times come from the speech itself, so change a turn and run make.sh again; the three
# files are never edited by hand.
# Needs espeak-ng and sox: apt-get install espeak-ng sox
# shellcheck shell=sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

END_MS=500     # when the first turn begins
LAST=0         # the turn's number

{
    echo '# Made by make.sh: what is said in agent.wav and customer.wav, and when. Times are ms from the'
    echo '# first sample. The format is that of `partyline-relay simulate --script`.'
} > "$work/script.toml"

# turn WHO GAP_MS TEXT: WHO speaks, GAP_MS after the last turn ended (negative: into it). The caller has
# functions agent_voice and customer_voice, which take the file to write and the text.
turn() {
    LAST=$((LAST + 1))
    raw="$work/raw.wav" said="$work/said-$LAST.wav"
    "$1_voice" "$raw" "$3"
    # Without the pauses that the voice puts around a turn, so that the times are those of the speech.
    sox -D -G "$raw" -r 8000 -c 1 -b 16 "$said" norm -6 \
        silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse
    at=$((END_MS + $2))
    END_MS=$((at + $(soxi -s "$said") / 8))
    sox -D "$said" "$work/$1-$(printf %02d "$LAST").wav" \
        pad "$((at / 1000)).$(printf %03d $((at % 1000)))"
    printf '\n[[lines]]\nat_ms = %d\nuntil_ms = %d\nwho = "%s"\ntext = "%s"\n' \
        "$at" "$END_MS" "$1" "$3" >> "$work/script.toml"
}

# Writes the three files into the current folder.
finish() {
    # Both end together, on a whole frame of 20 ms, half a second after the last word.
    FRAMES=$(((END_MS + 500) / 20))
    SAMPLES=$((FRAMES * 160))
    for who in agent customer; do
        # A quiet telephone line is not digital silence: noise of a few steps, the same at every run.
        sox -R -D -r 8000 -c 1 -n -b 16 "$work/noise.wav" synth "${SAMPLES}s" whitenoise vol 0.00015
        set -- -v 1 "$work/noise.wav"
        for said in "$work/$who"-*.wav; do set -- "$@" -v 1 "$said"; done
        sox -D -m -v 1 "$@" -b 16 "$work/mixed.wav" trim 0 "${SAMPLES}s"
        sox -D "$work/mixed.wav" -e u-law -b 8 "$who.wav"
    done
    mv "$work/script.toml" script.toml
}
