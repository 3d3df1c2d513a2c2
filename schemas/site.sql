-- site.db, schema version 1 (pragma user_version). Every table names its owner among the engine's modules.
-- What is here has its second copy in keep.log (marked KEEP) or can be made again from packs and mirror.

-- site: small facts of this box (KEEP): network, site, name, created.
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- trust: numbers that only go up, each moved in the transaction of its effect (KEEP).
CREATE TABLE ratchet (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

-- trust: every accepted root document as received, with the signatures that count (KEEP).
CREATE TABLE root (version INTEGER PRIMARY KEY, document BLOB NOT NULL, signatures TEXT NOT NULL);

-- trust: the roster, projected from the site documents of the catalogue.
CREATE TABLE site (
    id BLOB PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, parent BLOB,
    signing_key BLOB NOT NULL, sealing_key BLOB NOT NULL, state TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX site_by_name ON site (name);

-- trust: grants given for requests, so that asking twice answers the same (KEEP).
CREATE TABLE issued_grant (
    request BLOB PRIMARY KEY, grant_text TEXT NOT NULL, expires_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- catalogue: git objects of all lanes. digest: BLAKE2b-256 of a blob or commit, TreeDigest of a tree.
CREATE TABLE git_object (
    oid BLOB PRIMARY KEY, type INTEGER NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL
);

-- catalogue: the head of each lane and how many commits lie behind it.
CREATE TABLE lane (name TEXT PRIMARY KEY, head BLOB NOT NULL, height INTEGER NOT NULL) WITHOUT ROWID;

-- catalogue: editions, projected from the edition documents of the heads. title: each title after a line feed.
CREATE TABLE edition (
    course TEXT NOT NULL, number INTEGER NOT NULL, lane TEXT NOT NULL, manifest BLOB NOT NULL,
    reviews_needed INTEGER NOT NULL, title TEXT NOT NULL, document BLOB NOT NULL, is_current INTEGER NOT NULL,
    PRIMARY KEY (course, number, lane)
) WITHOUT ROWID;

-- catalogue: review statements, as received (KEEP).
CREATE TABLE review (
    course TEXT NOT NULL, edition INTEGER NOT NULL, holder TEXT NOT NULL, reviewer_key BLOB NOT NULL,
    verdict TEXT NOT NULL, statement BLOB NOT NULL, signature TEXT NOT NULL,
    PRIMARY KEY (course, edition, reviewer_key)
) WITHOUT ROWID;

-- store: packs. `chunk` said where each chunk lies; schema version 3 takes it away (index.sql).
CREATE TABLE pack (
    number INTEGER PRIMARY KEY, id BLOB, bytes INTEGER NOT NULL, sealed INTEGER NOT NULL
);
CREATE TABLE chunk (
    id BLOB PRIMARY KEY, pack INTEGER NOT NULL, place INTEGER NOT NULL, stored INTEGER NOT NULL, raw INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX chunk_by_pack ON chunk (pack, place);

-- site, at hubs: files that were changed between editions, by the hash of all their bytes: what they are made of,
-- so that the same bytes under another name are not cut, stored and sent anew. object: their recipe, or, with a
-- place, the one chunk that holds them from there on.
CREATE TABLE known_file (digest BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, object BLOB NOT NULL, place INTEGER);
CREATE INDEX known_file_by_size ON known_file (size);

-- exchange: editions this site holds. complete: every byte is here.
CREATE TABLE holding (manifest BLOB PRIMARY KEY, complete INTEGER NOT NULL) WITHOUT ROWID;

-- exchange: the newest signed have of each other site, as received (KEEP).
CREATE TABLE peer_have (site BLOB PRIMARY KEY, sequence INTEGER NOT NULL, have BLOB NOT NULL) WITHOUT ROWID;

-- exchange: receipts, as received or made here (KEEP).
CREATE TABLE receipt (
    site BLOB NOT NULL, sequence INTEGER NOT NULL, receipt BLOB NOT NULL, PRIMARY KEY (site, sequence)
) WITHOUT ROWID;

-- site: what this site wants shown (KEEP). kind: course, theme, audience, producer, all.
CREATE TABLE subscription (kind TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, value)) WITHOUT ROWID;
