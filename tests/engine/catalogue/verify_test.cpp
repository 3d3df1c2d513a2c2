// `verify` goes over everything again from the objects, and finds each fault.
#include "tests/engine/catalogue/catalogue_kit.hpp"

namespace satchel::catalogue {
namespace {

struct Fault {
    const char* what;
    const char* sql;
};

TEST(CatalogueVerify, FindsEachFaultInItsTables) {
    const Fault faults[] = {
        {"a byte of a document",
         "UPDATE git_object SET data = CAST(replace(data, 'farming', 'fishing') AS BLOB) WHERE type = 3"},
        {"a digest of a document", "UPDATE git_object SET digest = randomblob(32) WHERE type = 3"},
        {"a digest of a tree", "UPDATE git_object SET digest = randomblob(32) WHERE type = 2"},
        {"a digest of a commit", "UPDATE git_object SET digest = randomblob(32) WHERE type = 1"},
        {"a size", "UPDATE git_object SET size = size + 1"},
        {"a type", "UPDATE git_object SET type = 3 WHERE type = 1"},
        {"a missing document",
         "DELETE FROM git_object WHERE rowid = (SELECT min(rowid) FROM git_object WHERE type = 3)"},
        {"a missing tree",
         "DELETE FROM git_object WHERE rowid = (SELECT min(rowid) FROM git_object WHERE type = 2)"},
        {"a missing commit",
         "DELETE FROM git_object WHERE rowid = (SELECT min(rowid) FROM git_object WHERE type = 1)"},
        {"a head at an older commit",
         "UPDATE lane SET head = (SELECT oid FROM git_object WHERE type = 1 ORDER BY rowid LIMIT 1)"},
        {"a height", "UPDATE lane SET height = height + 1"},
        {"a ratchet", "UPDATE ratchet SET value = value + 1 WHERE name = 'lane/office/height'"},
        {"a head that is a document",
         "UPDATE lane SET head = (SELECT oid FROM git_object WHERE type = 3 LIMIT 1)"},
    };
    for (const Fault& fault : faults) {
        Box hub;
        hub.publish(edition_of("rice", 1));
        hub.publish(edition_of("rice", 2));
        ASSERT_EQ(must(hub->verify()), 2u);
        must(hub.database().run(fault.sql));
        EXPECT_FALSE(hub->verify().has_value()) << fault.what;
    }
}

TEST(CatalogueVerify, FindsACommitOfWhoWasNeverAnEditor) {
    Box hub;
    hub.publish(edition_of("rice", 1));
    Forger forger(hub);
    forger.commit({change_of(edition_of("rice", 2))}, kReviewer);
    database::Statement insert = must(hub.database().prepare(
        "INSERT OR IGNORE INTO git_object (oid, type, size, digest, data) VALUES (?, ?, ?, ?, ?)"));
    for (const ByteBuffer& bytes : forger.batches()) {
        const Batch batch = must(Batch::decode(bytes));
        for (const PlainObject& object : batch.objects()) {
            const GitId id = git_id_of(object.type, object.data);
            insert.bind_blob(1, id).bind(2, static_cast<std::int64_t>(object.type));
            insert.bind(3, static_cast<std::int64_t>(object.data.size()));
            insert.bind_blob(4, must(forger.objects().find(id))->digest.value()).bind_blob(5, object.data);
            must(insert.run());
        }
    }
    database::Statement move = must(hub.database().prepare("UPDATE lane SET head = ?, height = 2"));
    move.bind_blob(1, forger.head());
    must(move.run());
    must(hub.database().run("UPDATE ratchet SET value = 2 WHERE name = 'lane/office/height'"));
    EXPECT_EQ(reason_of(hub->verify()), "a commit of the lane is not by one of its editors");
}

}  // namespace
}  // namespace satchel::catalogue
