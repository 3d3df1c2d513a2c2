// What comes into a lane from elsewhere, and what does not.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/engine/catalogue/catalogue_kit.hpp"

namespace satchel::catalogue {
namespace {

const std::string kForeign = "the lane's history holds what does not belong there";
const std::string kNoEditor = "a commit of the lane is not by one of its editors";
const std::string kNoFit = "a commit of the lane does not fit its content or its parent";
const std::string kNoDescendant = "the history that is offered does not descend from the one held here";

// Refused with this reason, and everything is as it was.
void expect_refused(Box& box, const GitId& head, const Batches& batches, const std::string& reason,
                    const std::string& lane = "office") {
    const std::string before = box.state();
    EXPECT_EQ(reason_of(box.accept(head, batches, lane)), reason);
    EXPECT_EQ(box.state(), before);
}
void expect_refused(Box& box, Forger& forger, const std::string& reason) {
    expect_refused(box, forger.head(), forger.batches(), reason);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) throw std::runtime_error("no " + from);
    return text.replace(at, from.size(), to);
}

TEST(LaneAccept, BringsAVillageToTheHubsHead) {
    Box hub;
    Box village;
    hub.publish(edition_of("rice", 1));
    must(hub->commit("office", key_of(kEditor), "Enrol", {change_of(site_of(40))}));
    const Accepted whole = must(village.accept_from(hub));
    EXPECT_EQ(whole.commits, 2u);
    EXPECT_EQ(village.state(), hub.state());

    hub.publish(edition_of("rice", 2));
    hub.publish(edition_of("tea", 1));
    const Accepted news = must(village.accept_from(hub));
    EXPECT_EQ(news.commits, 2u);
    EXPECT_FALSE(news.already_newer);
    EXPECT_EQ(village.state(), hub.state());
    EXPECT_EQ(must(village->verify()), 4u);
}

TEST(LaneAccept, PassesOverWhatLiesBehindItsHead) {
    Box hub;
    Box village;
    hub.publish(edition_of("rice", 1));
    const GitId old_head = hub.head().head;
    const Batches old_batches = hub.export_from(std::nullopt);
    hub.publish(edition_of("rice", 2));
    must(village.accept_from(hub));
    const std::string before = village.state();
    const Accepted old_stick = must(village.accept(old_head, old_batches));
    EXPECT_TRUE(old_stick.already_newer);
    EXPECT_EQ(old_stick.objects, 0u);
    EXPECT_TRUE(must(village.accept_from(hub)).already_newer);
    EXPECT_EQ(village.state(), before);
}

TEST(LaneAccept, TakesTheWholeLaneThoughItHoldsPart) {
    Box hub;
    Box village;
    hub.publish(edition_of("rice", 1));
    must(village.accept_from(hub));
    hub.publish(edition_of("rice", 2));
    must(village.accept(hub.head().head, hub.export_from(std::nullopt)));
    EXPECT_EQ(village.state(), hub.state());
}

TEST(LaneAccept, RefusesAForkAndARollback) {
    Box hub;
    Box village;
    hub.publish(edition_of("rice", 1));
    must(village.accept_from(hub));
    Forger forger(village);
    forger.commit({change_of(edition_of("tea", 1))});
    hub.publish(edition_of("rice", 2));
    must(village.accept_from(hub));
    expect_refused(village, forger, kNoDescendant);
    Forger begins_anew(hub.network());
    begins_anew.commit({change_of(edition_of("rice", 1))});
    expect_refused(village, begins_anew, kNoDescendant);
}

TEST(LaneAccept, RefusesHistoryWithAGap) {
    Box hub;
    Box village;
    hub.publish(edition_of("rice", 1));
    const GitId known = hub.head().head;
    hub.publish(edition_of("rice", 2));
    const std::string missing = "part of the lane's history is missing";
    expect_refused(village, hub.head().head, hub.export_from(known), missing);
    expect_refused(village, hub.head().head, {}, missing);
    expect_refused(village, GitId{}, hub.export_from(std::nullopt), missing);
}

TEST(LaneAccept, KeepsNothingOfAnUnfinishedOrRefusedOffer) {
    Box hub;
    Box village;
    hub.publish(edition_of("rice", 1));
    const std::string before = village.state();
    must(village->begin_accept("office", hub.head().head));
    for (const ByteBuffer& batch : hub.export_from(std::nullopt)) must(village->add_batch(batch));
    EXPECT_EQ(village.state(), before);
    must(village->begin_accept("office", hub.head().head));
    EXPECT_EQ(reason_of(village->finish_accept()), "part of the lane's history is missing");
    EXPECT_EQ(reason_of(village->finish_accept()), "no lane was begun");
    EXPECT_EQ(reason_of(village->add_batch(ByteBuffer())), "no lane was begun");
    EXPECT_EQ(village.state(), before);
}

TEST(LaneAccept, KeepsOnlyWhatTheHeadReaches) {
    Box hub;
    Box village;
    hub.publish(edition_of("rice", 1));
    Forger forger(hub);
    must(forger.put(GitType::kBlob, bytes_of("stowaway")));
    must(village.accept(hub.head().head, forger.batches()));
    EXPECT_EQ(village.state(), hub.state());
}

TEST(LaneAccept, RefusesALaneThatTheRootDoesNotName) {
    Box hub;
    hub.publish(edition_of("rice", 1));
    expect_refused(hub, hub.head().head, {}, "the root names no such lane", "menu");
}

TEST(LaneAccept, RefusesWhatNoEditorSigned) {
    Box village;
    Forger by_reviewer(village);
    by_reviewer.commit({change_of(edition_of("rice", 1))}, kReviewer);
    expect_refused(village, by_reviewer, kNoEditor);
    Forger by_stranger(village);
    by_stranger.commit({change_of(edition_of("rice", 1))}, 99);
    expect_refused(village, by_stranger, kNoEditor);
}

TEST(LaneAccept, RefusesASignatureOverOtherBytes) {
    Box village;
    Forger forger(village);
    const GitId tree = forger.tree_with({change_of(edition_of("rice", 1))});
    const std::string content = forger.content(tree, {});
    forger.add_commit(tree, replaced(content, "Forged", "Better"),
                      trust::ssh_sign(key_of(kEditor), "git", bytes_of(content)));
    expect_refused(village, forger, "the signature does not hold");
    Forger other_purpose(village);
    const GitId same_tree = other_purpose.tree_with({change_of(edition_of("rice", 1))});
    other_purpose.add_commit(same_tree, content,
                             trust::ssh_sign(key_of(kEditor), "satchel-review", bytes_of(content)));
    expect_refused(village, other_purpose, "the signature was made for another purpose");
}

TEST(LaneAccept, RefusesATreeThatIsNotTheOneSigned) {
    Box village;
    Forger forger(village);
    const GitId tree = forger.tree_with({change_of(edition_of("rice", 1))});
    forger.commit(tree, kEditor, {.tree_digest = hash_of(bytes_of("another tree"))});
    expect_refused(village, forger, kNoFit);
}

TEST(LaneAccept, RefusesAParentThatIsNotTheOneSigned) {
    Box village;
    Forger forger(village);
    forger.commit({change_of(edition_of("rice", 1))});
    forger.commit(forger.tree_with({change_of(edition_of("rice", 2))}), kEditor,
                  {.parent_digest = hash_of(bytes_of("another parent"))});
    expect_refused(village, forger, kNoFit);
    Forger begins_with_zeros(village);
    begins_with_zeros.commit(begins_with_zeros.tree_with({change_of(edition_of("rice", 1))}), kEditor,
                             {.parent_digest = Digest{}});
    expect_refused(village, begins_with_zeros, kNoFit);
}

trust::Root two_lanes() {
    trust::Root root = first_root();
    root.lanes.push_back(root.lanes[0]);
    root.lanes[1].name = "menu";
    return root;
}

TEST(LaneAccept, RefusesTheHistoryOfAnotherLaneOrNetworkOfTheSameEditor) {
    Box hub({sign(two_lanes())});
    Box village({sign(two_lanes())});
    hub.publish(edition_of("rice", 1));
    expect_refused(village, hub.head().head, hub.export_from(std::nullopt), kNoFit, "menu");
    trust::Root elsewhere = two_lanes();
    elsewhere.network = "next county";
    Box neighbour({sign(elsewhere)});
    expect_refused(neighbour, hub.head().head, hub.export_from(std::nullopt), kNoFit);
}

// A commit whose bytes are changed after it was made, with a signature that fits them.
void expect_bytes_refused(const std::function<std::string(std::string content, std::string gpgsig)>& make) {
    Box village;
    Forger forger(village);
    const GitId tree = forger.tree_with({change_of(edition_of("rice", 1))});
    const std::string content = forger.content(tree, {});
    const auto header = [](const std::string& signed_bytes) {
        std::string armor = trust::ssh_sign(key_of(kEditor), "git", bytes_of(signed_bytes));
        for (std::size_t at = armor.find('\n'); at != std::string::npos; at = armor.find('\n', at + 2))
            armor.insert(at + 1, " ");
        return "gpgsig " + armor + "\n";
    };
    forger.put_commit(make(content, header(content)), tree);
    expect_refused(village, forger, kForeign);
}

TEST(LaneAccept, RefusesCommitsInAnyOtherForm) {
    const auto signed_at_end = [](const std::string& content, const std::string& gpgsig) {
        return replaced(content, "\n\n", "\n" + gpgsig + "\n");
    };
    expect_bytes_refused([](const std::string& content, const std::string&) { return content; });
    expect_bytes_refused([&](const std::string& content, const std::string& gpgsig) {
        return signed_at_end(content, gpgsig + gpgsig);
    });
    expect_bytes_refused([&](const std::string& content, const std::string& gpgsig) {
        return signed_at_end(content, gpgsig + "encoding GBK\n");
    });
    expect_bytes_refused([&](const std::string& content, const std::string& gpgsig) {
        const std::string parent = "parent " + std::string(40, 'a') + "\n";
        return replaced(signed_at_end(content, gpgsig), "author", parent + parent + "author");
    });
    expect_bytes_refused([&](const std::string& content, const std::string& gpgsig) {
        return replaced(signed_at_end(content, gpgsig), "Satchel-Tree", "Satchel-Twig");
    });
    expect_bytes_refused([&](const std::string& content, const std::string& gpgsig) {
        return signed_at_end(content, gpgsig) + "one more line\n";
    });
    expect_bytes_refused([&](const std::string& content, const std::string& gpgsig) {
        return signed_at_end(replaced(content, "Forged", "For\x1b[2Jged"), gpgsig);
    });
    expect_bytes_refused([&](const std::string& content, const std::string& gpgsig) {
        return replaced(signed_at_end(content, gpgsig), "1000 +0000", "01000 +0000");
    });
}

// Signed as it should be but for its digest, over a tree that has no place here.
void expect_tree_refused(Tree tree) {
    Box village;
    Forger forger(village);
    const GitId blob = must(forger.put(GitType::kBlob, bytes_of("#!/bin/sh\n")));
    for (TreeEntry& entry : tree) entry.id = blob;
    ByteBuffer bytes;
    for (const TreeEntry& entry : tree)
        Writer(bytes).raw(entry.name).u8(0).raw(entry.id);  // names carry their modes here
    const GitId id = must(forger.put(GitType::kTree, bytes));
    forger.commit(id, kEditor, {.tree_digest = Digest{}});
    const std::string before = village.state();
    const std::string reason = reason_of(village.accept(forger.head(), forger.batches(), "office"));
    EXPECT_TRUE(reason == kForeign || reason == kNoFit) << reason;
    EXPECT_EQ(village.state(), before);
}

TEST(LaneAccept, RefusesTreesWithAnythingButPlainFilesInOrder) {
    expect_tree_refused({{false, "100755 a", {}}});
    expect_tree_refused({{false, "120000 a", {}}});
    expect_tree_refused({{false, "160000 a", {}}});
    expect_tree_refused({{false, "100664 a", {}}});
    expect_tree_refused({{false, "100644 ", {}}});
    expect_tree_refused({{false, "100644 a/b", {}}});
    expect_tree_refused({{false, "100644 ..", {}}});
    expect_tree_refused({{false, "100644 .git", {}}});
    expect_tree_refused({{false, "100644 b", {}}, {false, "100644 a", {}}});
    expect_tree_refused({{false, "100644 a", {}}, {false, "100644 a", {}}});
    expect_tree_refused({{false, "100644 " + std::string(kTreeNameMax + 1, 'a'), {}}});
    expect_tree_refused({});
}

TEST(LaneAccept, RefusesTreesWithoutEnd) {
    Box village;
    Forger forger(village);
    GitId below = must(forger.put(GitType::kBlob, bytes_of("x")));
    bool is_tree = false;
    for (std::size_t level = 0; level < 4 * kTreeDepthMax; ++level) {
        below = must(forger.put(GitType::kTree, encode_tree({{is_tree, "a", below}})));
        is_tree = true;
    }
    forger.commit(below, kEditor, {});
    expect_refused(village, forger, kForeign);
}

TEST(LaneAccept, RefusesDocumentsThatAnEditorCouldNotHaveCommitted) {
    Box village;
    Forger misplaced(village);
    misplaced.commit({{edition_path("rice", 2), encode(edition_of("rice", 1))}});
    expect_refused(village, misplaced, kForeign);
    Forger changed(village);
    changed.commit({change_of(edition_of("rice", 1))});
    changed.commit({change_of(edition_of("rice", 1, "other content"))});
    expect_refused(village, changed, "an edition never changes once it is published");
    Forger backwards(village);
    backwards.commit({change_of(edition_of("rice", 2))});
    backwards.commit({change_of(edition_of("rice", 1))});
    expect_refused(village, backwards, "the numbers of a course's editions only go up");
}

TEST(LaneAccept, ARevocationHoldsThoughALaterCommitOfTheSameOfferTakesItBack) {
    Box village;
    Forger forger(village);
    forger.commit({change_of(site_of(40))});
    forger.commit({change_of(site_of(40, trust::SiteState::kRevoked))});
    forger.commit({change_of(site_of(40))});
    expect_refused(village, forger, "this box was revoked");
}

trust::Root second_root(std::uint8_t editor) {
    trust::Root root = first_root();
    root.version = 2;
    root.lanes[0].editors = {holder_of(editor, "new editor")};
    return root;
}

TEST(LaneAccept, ARemovedEditorsCommitsCountOnlyUnderACurrentEditors) {
    const trust::SignedRoot first = sign(first_root());
    const trust::SignedRoot second = sign(second_root(kOtherEditor));
    Box hub({first});
    hub.publish(edition_of("rice", 1));
    hub.take_roots({second});
    Box village({first, second});
    expect_refused(village, hub.head().head, hub.export_from(std::nullopt), kNoEditor);
    hub.publish(edition_of("rice", 2), kOtherEditor);
    must(village.accept_from(hub));
    EXPECT_EQ(village.state(), hub.state());
    EXPECT_EQ(must(village->verify()), 2u);

    Forger removed_editor(village);
    removed_editor.commit({change_of(edition_of("rice", 3))}, kEditor);
    expect_refused(village, removed_editor, kNoEditor);
    EXPECT_EQ(
        reason_of(village->commit("office", key_of(kEditor), "Change", {change_of(edition_of("rice", 3))})),
        "this key is no editor of the lane");
    Forger never_editor(hub.network());
    never_editor.commit({change_of(edition_of("rice", 1))}, kReviewer);
    never_editor.commit({change_of(edition_of("rice", 2))}, kOtherEditor);
    Box newcomer({first, second});
    expect_refused(newcomer, never_editor, kNoEditor);
}

TEST(LaneAccept, TellsAnEditOfATreeThatIsNotHere) {
    Box hub;
    Box village;
    hub.publish(edition_of("rice", 1));
    const GitId known = hub.head().head;
    hub.publish(edition_of("rice", 2));
    must(village->begin_accept("office", hub.head().head));
    for (const ByteBuffer& batch : hub.export_from(known))
        EXPECT_EQ(reason_of(village->add_batch(batch)), "part of the lane's history is missing");
    EXPECT_EQ(reason_of(village->finish_accept()), "no lane was begun");
}

TEST(LaneAccept, SitesOfTwoLanesEndEqualWhicheverCameFirst) {
    Box hub({sign(two_lanes())});
    trust::SiteEntry renamed = site_of(40);
    renamed.name = "renamed";
    must(hub->commit("office", key_of(kEditor), "Enrol", {change_of(renamed)}));
    must(
        hub->commit("menu", key_of(kEditor), "Revoke", {change_of(site_of(40, trust::SiteState::kRevoked))}));
    must(hub->commit("office", key_of(kEditor), "Publish",
                     {change_of(edition_of("rice", 1, "of the office"))}));
    must(hub->commit("menu", key_of(kEditor), "Publish", {change_of(edition_of("rice", 1, "of the menu"))}));
    Box east({sign(two_lanes())});
    must(east.accept_from(hub, "menu"));
    must(east.accept_from(hub, "office"));
    Box west({sign(two_lanes())});
    must(west.accept_from(hub, "office"));
    must(west.accept_from(hub, "menu"));
    EXPECT_EQ(east.state(), hub.state());
    EXPECT_EQ(west.state(), hub.state());
    EXPECT_EQ(must(hub.trust().site(renamed.id))->state, trust::SiteState::kRevoked);
    EXPECT_EQ(must(hub->current_edition("rice"))->edition, edition_of("rice", 1, "of the menu"));
}

}  // namespace
}  // namespace satchel::catalogue
