-- What schema version 3 adds to site.sql: the index moves from the table `chunk` to sorted runs beside the packs.

-- store: of each pack. sealed: 0 being filled, 1 sealed, 2 dropped and to be removed. rows: of its index, which begins
-- at index_at (0: not in a run yet). chunks, stored, raw: what it holds that is not forgotten. lost: chunks that were
-- committed and were gone when the pack was opened.
ALTER TABLE pack ADD COLUMN rows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pack ADD COLUMN index_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pack ADD COLUMN chunks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pack ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pack ADD COLUMN raw INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pack ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
UPDATE pack SET
    chunks = (SELECT count(*) FROM chunk WHERE chunk.pack = pack.number),
    stored = (SELECT coalesce(sum(chunk.stored), 0) FROM chunk WHERE chunk.pack = pack.number),
    raw = (SELECT coalesce(sum(chunk.raw), 0) FROM chunk WHERE chunk.pack = pack.number);

-- store: runs of the index that count, in index/.
CREATE TABLE index_run (
    number INTEGER PRIMARY KEY, level INTEGER NOT NULL, pack_low INTEGER NOT NULL, pack_high INTEGER NOT NULL
);

-- store: where a damaged chunk lies that is wanted again.
CREATE TABLE forgotten (pack INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (pack, place)) WITHOUT ROWID;

-- `chunk` goes when the store has read from it what was forgotten before.
