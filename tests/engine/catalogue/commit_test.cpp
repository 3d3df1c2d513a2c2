// What an editor may write into a lane.
#include <gmock/gmock.h>

#include "tests/engine/catalogue/catalogue_kit.hpp"

namespace satchel::catalogue {
namespace {

using testing::ElementsAre;

Result<CommitInfo> change(Box& box, const std::vector<DocumentChange>& changes,
                          std::uint8_t editor = kEditor) {
    return box->commit("office", key_of(editor), "Change", changes);
}

// Refused with this reason, and everything is as it was.
void expect_refused(Box& box, const std::vector<DocumentChange>& changes, const std::string& reason,
                    std::uint8_t editor = kEditor) {
    const std::string before = box.state();
    const Result<CommitInfo> result = change(box, changes, editor);
    EXPECT_EQ(reason_of(result), reason);
    EXPECT_EQ(box.state(), before);
}

TEST(LaneCommit, ShowsInLogHeadEditionsAndRoster) {
    Box hub;
    hub.world().clock.set_wall(1'700'000'000'000);
    const CommitInfo first = hub.publish(edition_of("rice", 1));
    const CommitInfo second = must(change(hub, {change_of(edition_of("rice", 2)), change_of(site_of(40))}));
    EXPECT_EQ(hub.head(), (LaneHead{"office", second.id, 2}));
    std::vector<std::string> subjects;
    must(hub->log("office", 10, [&](const CommitInfo& commit) -> Result<void> {
        subjects.push_back(commit.subject + " by " + commit.author + " at " + std::to_string(commit.time_s));
        return {};
    }));
    EXPECT_THAT(subjects,
                ElementsAre("Change by editor at 1700000000", "Publish rice by editor at 1700000000"));
    EXPECT_EQ(must(hub->current_edition("rice"))->edition, edition_of("rice", 2));
    EXPECT_EQ(must(hub.trust().site(site_of(40).id)), site_of(40));
    EXPECT_TRUE(must(hub->knows(first.id)));
    EXPECT_EQ(must(hub->verify()), 2u);
}

TEST(LaneCommit, BindsItsTreeAndItsParentByBlake2b) {
    Box hub;
    const CommitInfo first = hub.publish(edition_of("rice", 1));
    const CommitInfo second = hub.publish(edition_of("rice", 2));
    ObjectTable objects = must(ObjectTable::open(hub.database(), "git_object"));
    const GitObject first_object = must(objects.find(first.id)).value();
    const Commit first_commit = must(parse_commit(first.id, first_object.data));
    const Commit second_commit = must(parse_commit(second.id, must(objects.find(second.id))->data));
    EXPECT_EQ(first_commit.parent_digest, lane_origin(hub.network(), "office"));
    EXPECT_EQ(second_commit.parent_digest, hash_of(first_object.data));
    EXPECT_EQ(second_commit.parent, first.id);

    // The tree's digest, from the documents up, as schemas/catalogue.md tells it.
    const Edition edition = edition_of("rice", 1);
    Digest digest = hash_of(bytes_of(encode(edition)));
    std::string path = edition_path("rice", 1);
    std::uint32_t mode = 0100644;
    while (!path.empty()) {
        const std::size_t slash = path.rfind('/');
        const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
        path.resize(slash == std::string::npos ? 0 : slash);
        ByteBuffer bytes;
        Writer(bytes).raw("satchel/tree/v1").u8(0).u32(mode).sized(name).raw(digest);
        digest = hash_of(bytes);
        mode = 040000;
    }
    EXPECT_EQ(to_hex(first_commit.tree_digest), to_hex(ByteView(digest)));
}

TEST(LaneCommit, IsRefusedToWhoIsNoEditor) {
    Box hub;
    hub.publish(edition_of("rice", 1));
    expect_refused(hub, {change_of(edition_of("rice", 2))}, "this key is no editor of the lane", kReviewer);
    EXPECT_EQ(reason_of(hub->commit("menu", key_of(kEditor), "Change", {change_of(edition_of("rice", 2))})),
              "the root names no such lane");
}

TEST(LaneCommit, IsRefusedWhenNothingWouldChange) {
    Box hub;
    hub.publish(edition_of("rice", 1));
    const Result<CommitInfo> again = change(hub, {change_of(edition_of("rice", 1))});
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, ErrorCode::kUsage);
    expect_refused(hub, {}, "nothing would change");
    Box empty;
    expect_refused(empty, {}, "nothing would change");
}

TEST(LaneCommit, NeverChangesAPublishedEdition) {
    Box hub;
    hub.publish(edition_of("rice", 1));
    expect_refused(hub, {change_of(edition_of("rice", 1, "other content"))},
                   "an edition never changes once it is published");
}

TEST(LaneCommit, NumbersOfEditionsOnlyGoUp) {
    Box hub;
    hub.publish(edition_of("rice", 3));
    const std::string reason = "the numbers of a course's editions only go up";
    expect_refused(hub, {change_of(edition_of("rice", 2))}, reason);
    expect_refused(hub, {{edition_path("rice", 3), std::nullopt}}, reason);
    must(change(hub, {change_of(edition_of("rice", 4)), change_of(edition_of("rice", 7))}));
    must(change(hub, {{edition_path("rice", 4), std::nullopt}}));
    expect_refused(hub, {change_of(edition_of("rice", 4))}, reason);
    expect_refused(hub, {{edition_path("rice", 7), std::nullopt}}, reason);
    EXPECT_EQ(must(hub->newest_edition("rice"))->edition.number, 7u);
}

TEST(LaneCommit, ARevokedSiteStaysRevokedAndListed) {
    Box hub;
    must(change(hub, {change_of(site_of(40))}));
    must(change(hub, {change_of(site_of(40, trust::SiteState::kRevoked))}));
    expect_refused(hub, {change_of(site_of(40))}, "this box was revoked");
    expect_refused(hub, {{site_path(site_of(40).id), std::nullopt}}, "a site's document cannot be removed");
    trust::SiteEntry other_keys = site_of(40, trust::SiteState::kRevoked);
    other_keys.sealing_key = site_of(41).sealing_key;
    expect_refused(hub, {change_of(other_keys)}, "a site keeps its keys for life");
}

TEST(LaneCommit, TakesOnlyDocumentsAtTheirPlaces) {
    Box hub;
    const std::string foreign = "the lane's history holds what does not belong there";
    expect_refused(hub, {{edition_path("rice", 2), encode(edition_of("rice", 1))}}, foreign);
    expect_refused(hub, {{site_path(site_of(41).id), encode(site_of(40))}}, foreign);
    expect_refused(hub, {{"notes.txt", "hello"}}, foreign);
    expect_refused(hub, {{"menus/1.json", "{}\n"}}, foreign);
    expect_refused(hub, {{edition_path("rice", 1), "{}\n"}}, "the document is not in its format");
    expect_refused(hub, {{"../rice", "x"}}, "the path leads out of its folder");
    expect_refused(hub, {{edition_path("rice", 1), std::string(kDocumentMax + 1, 'x')}}, foreign);
}

TEST(LaneCommit, StaysWithinTheScopeOfItsLane) {
    trust::Root root = first_root();
    root.lanes[0].scope = {"sites/"};
    Box hub({sign(root)});
    must(change(hub, {change_of(site_of(40))}));
    expect_refused(hub, {change_of(edition_of("rice", 1))}, "the document lies outside the lane's scope");
}

TEST(LaneCommit, CleansItsMessageAndTakesNoEmptyOne) {
    Box hub;
    const CommitInfo made =
        must(hub->commit("office", key_of(kEditor), "  Two\x1b[2Jwords\tand\xc2\x9bone \r\nmore\n\n",
                         {change_of(edition_of("rice", 1))}));
    EXPECT_EQ(made.subject, "Two [2Jwords and one  ");
    EXPECT_EQ(reason_of(hub->commit("office", key_of(kEditor), " \n\t", {change_of(edition_of("rice", 2))})),
              "the message is empty");
    EXPECT_EQ(reason_of(hub->commit("office", key_of(kEditor), std::string(kMessageMax, 'x'),
                                    {change_of(edition_of("rice", 2))})),
              "the message is too long");
}

TEST(LaneCommit, FindsCoursesByIdAndTitle) {
    Box hub;
    for (const char* course : {"rice", "rice-2", "tea"}) hub.publish(edition_of(course, 1));
    EXPECT_THAT(must(hub->find_courses("rice")), ElementsAre("rice"));
    EXPECT_THAT(must(hub->find_courses("ri")), ElementsAre("rice", "rice-2"));
    EXPECT_THAT(must(hub->find_courses("title of T")), ElementsAre("tea"));
    EXPECT_THAT(must(hub->find_courses("课程")), ElementsAre("rice", "rice-2", "tea"));
    EXPECT_THAT(must(hub->find_courses("of tea")), ElementsAre());
}

TEST(LaneCommit, OutlivesAReopenedSite) {
    Box hub;
    hub.publish(edition_of("rice", 1));
    const std::string before = hub.state();
    hub.open();
    EXPECT_EQ(hub.state(), before);
    hub.publish(edition_of("rice", 2));
    EXPECT_EQ(must(hub->verify()), 2u);
}

}  // namespace
}  // namespace satchel::catalogue
