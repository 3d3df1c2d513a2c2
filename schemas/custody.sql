-- site.db, what schema version 5 adds. It may be lost: the authors of these records have them, and hubs say their
-- words again.

-- exchange: signed segments of other sites on their way to the hubs.
CREATE TABLE custody (
    id BLOB NOT NULL UNIQUE, site BLOB NOT NULL, incarnation INTEGER NOT NULL, tag BLOB NOT NULL,
    first INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL, segment BLOB NOT NULL
);
CREATE INDEX custody_by_feed ON custody (site, incarnation, tag, first);
CREATE INDEX acknowledgement_by_site ON acknowledgement (site);

-- trust: the hubs of the roster.
CREATE INDEX site_hub ON site (id) WHERE role = 'hub';

-- exchange, at sites that are no hub: the hubs' acknowledgements as received, to be handed on to the authors.
CREATE TABLE acknowledgement_word (
    hub BLOB NOT NULL, sequence INTEGER NOT NULL, word BLOB NOT NULL, PRIMARY KEY (hub, sequence)
) WITHOUT ROWID;
