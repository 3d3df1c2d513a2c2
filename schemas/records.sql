-- site.db, what schema version 2 adds. The segments themselves lie in feed.log: all of this can be made again.

-- records: where each segment lies. linked: everything before it in its feed is here; only then it counts. A head
-- is a linked segment that no linked one follows.
CREATE TABLE segment (
    id BLOB PRIMARY KEY, site BLOB NOT NULL, incarnation INTEGER NOT NULL, tag BLOB NOT NULL,
    first INTEGER NOT NULL, count INTEGER NOT NULL, previous BLOB, linked INTEGER NOT NULL,
    head INTEGER NOT NULL, closed INTEGER NOT NULL, log INTEGER NOT NULL, place INTEGER NOT NULL, size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX segment_by_feed ON segment (site, incarnation, tag, first);
CREATE INDEX segment_by_previous ON segment (previous);
CREATE INDEX segment_head ON segment (site) WHERE head = 1;

-- records: this site's events that no segment holds yet.
CREATE TABLE open_event (sequence INTEGER PRIMARY KEY, event BLOB NOT NULL);

-- records: a projection for reports; one row an event that counts, by its identity (origin, epoch, sequence,
-- branch). hash: of its content, then of all its bytes. site: the feed that said it. Times are milliseconds of
-- UTC as recorded.
CREATE TABLE fact (
    origin TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, branch TEXT NOT NULL,
    kind INTEGER NOT NULL, hash BLOB NOT NULL, site BLOB NOT NULL, at INTEGER NOT NULL, time INTEGER NOT NULL,
    course TEXT, label TEXT, target TEXT, amount INTEGER, duration INTEGER, mode TEXT,
    PRIMARY KEY (origin, epoch, sequence, branch)
) WITHOUT ROWID;

-- records: what corrections and retractions say of their targets, one row a field.
CREATE TABLE correction (
    target_origin TEXT NOT NULL, target_epoch INTEGER NOT NULL, target_sequence INTEGER NOT NULL,
    target_branch TEXT NOT NULL, field TEXT NOT NULL, revision INTEGER NOT NULL,
    origin TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, branch TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (target_origin, target_epoch, target_sequence, target_branch, field, revision, origin, epoch,
                 sequence, branch)
) WITHOUT ROWID;
CREATE INDEX correction_by_origin ON correction (origin, epoch, sequence, branch);

-- records: contents that claim the same identity; the smallest hash counts.
CREATE TABLE rival (
    origin TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, branch TEXT NOT NULL,
    hash BLOB NOT NULL, PRIMARY KEY (origin, epoch, sequence, branch, hash)
) WITHOUT ROWID;

-- catalogue: the register of sites, projected from its documents. code: what records name a site by.
CREATE TABLE registered (
    code TEXT PRIMARY KEY, name TEXT NOT NULL, town TEXT NOT NULL, county TEXT NOT NULL, county_name TEXT NOT NULL,
    type TEXT NOT NULL
) WITHOUT ROWID;

-- exchange: the newest signed acknowledgement of each hub, as received (KEEP).
CREATE TABLE acknowledgement (
    hub BLOB NOT NULL, site BLOB NOT NULL, sequence INTEGER NOT NULL, statement BLOB NOT NULL,
    PRIMARY KEY (hub, site)
) WITHOUT ROWID;
