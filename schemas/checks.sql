-- site.db, what schema version 4 adds. It may be lost: it begins anew.

-- store: what the last look at each pack found. turn: the order of these looks, the oldest has the smallest; mended:
-- bytes, of all looks; missing: chunks that were damaged beyond mending.
CREATE TABLE pack_check (
    pack INTEGER PRIMARY KEY, turn INTEGER NOT NULL, mended INTEGER NOT NULL, missing INTEGER NOT NULL
);
CREATE INDEX pack_check_by_turn ON pack_check (turn);
