# One changed document among 2,000; tests/soak/catalogue.py does it among 40,000.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

ends_with 0 "$SATCHEL_SOURCE_DIR/tests/soak/catalogue.py" --editions 2000
cat out
