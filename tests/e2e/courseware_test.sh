# Three editions of a small tree, judged by a reader that shares no code with the program.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

unset SATCHEL_COURSEWARE
ends_with 0 "$SATCHEL_SOURCE_DIR/tests/soak/courseware.py"
cat out
says 'summary: three editions of a small tree made here, 0 failures'
