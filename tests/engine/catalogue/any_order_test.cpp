// Whatever arrives, in whatever order, twice or from old sticks: heads only go forward, and who was brought
// the same ends equal.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/engine/catalogue/catalogue_kit.hpp"

namespace satchel::catalogue {
namespace {

// One thing that a stick brings.
struct Parcel {
    std::string lane;  // empty: roots or a review
    GitId head{};
    Batches batches;
    std::vector<trust::SignedRoot> roots;
    std::optional<SignedReview> review;
};

// A hub's life: commits in two lanes, changes of roots, reviews; and every parcel it could have written.
class History {
  public:
    History() : hub_({sign(root_at(1))}) {
        roots_.push_back(sign(root_at(1)));
        publish("office", edition_of("rice", 1), kEditor);
        review(edition_of("rice", 1), kReviewer, Verdict::kApprove);
        commit("menu", {change_of(site_of(40))}, kEditor);
        publish("office", edition_of("rice", 2), kEditor);
        next_root();
        publish("menu", edition_of("tea", 1), kOtherEditor);
        publish("office", edition_of("rice", 3), kOtherEditor);
        review(edition_of("rice", 3), kOtherReviewer, Verdict::kApprove);
        review(edition_of("rice", 3), kOtherReviewer, Verdict::kReject);
        review(edition_of("tea", 1), kOtherReviewer, Verdict::kApprove);
        commit("office", {change_of(site_of(40, trust::SiteState::kRevoked))}, kOtherEditor);
    }

    Box& hub() { return hub_; }
    const std::vector<Parcel>& parcels() const { return parcels_; }
    const trust::SignedRoot& first_root_document() const { return roots_.front(); }

  private:
    static trust::Root root_at(std::uint32_t version) {
        trust::Root root = first_root(1);
        root.version = version;
        if (version > 1) {
            root.lanes[0].editors = {holder_of(kOtherEditor, "new editor")};
            root.lanes[0].reviewers.erase(root.lanes[0].reviewers.begin());
        }
        root.lanes.push_back(root.lanes[0]);
        root.lanes[1].name = "menu";
        return root;
    }
    void next_root() {
        roots_.push_back(sign(root_at(static_cast<std::uint32_t>(roots_.size()) + 1)));
        hub_.take_roots(roots_);
        Parcel parcel;
        parcel.roots = roots_;
        parcels_.push_back(parcel);
    }
    void publish(const std::string& lane, const Edition& edition, std::uint8_t editor) {
        commit(lane, {change_of(edition)}, editor);
    }
    void commit(const std::string& lane, const std::vector<DocumentChange>& changes, std::uint8_t editor) {
        std::vector<std::optional<GitId>> knowns = heads_[lane];
        knowns.push_back(std::nullopt);
        must(hub_->commit(lane, key_of(editor), "Change", changes));
        for (const std::optional<GitId>& known : knowns)
            parcels_.push_back({lane, hub_.head(lane).head, hub_.export_from(known, lane), {}, {}});
        heads_[lane].push_back(hub_.head(lane).head);
    }
    void review(const Edition& edition, std::uint8_t reviewer, Verdict verdict) {
        Parcel parcel;
        parcel.review = hub_.review(edition, reviewer, verdict);
        must(hub_->add_review(*parcel.review));
        parcels_.push_back(parcel);
    }

    Box hub_;
    std::vector<trust::SignedRoot> roots_;
    std::map<std::string, std::vector<std::optional<GitId>>> heads_;
    std::vector<Parcel> parcels_;
};

// A parcel that does not fit yet is refused and comes again with a later stick.
void bring(Box& box, const Parcel& parcel) {
    if (!parcel.lane.empty())
        static_cast<void>(box.accept(parcel.head, parcel.batches, parcel.lane).has_value());
    if (!parcel.roots.empty()) box.take_roots(parcel.roots);
    if (parcel.review) static_cast<void>(box->add_review(*parcel.review).has_value());
}

std::map<std::string, std::uint64_t> heights(Box& box) {
    std::map<std::string, std::uint64_t> found;
    for (const LaneHead& head : must(box->heads())) found[head.lane] = head.height;
    return found;
}

TEST(AnyOrder, EndsEqualAndGoesOnlyForward) {
    History history;
    const std::string wanted = history.hub().state();
    const bool holds = rc::check([&] {
        Box village({history.first_root_document()});
        const std::size_t count = history.parcels().size();
        const auto order =
            *rc::gen::container<std::vector<std::size_t>>(20, rc::gen::inRange<std::size_t>(0, count));
        std::map<std::string, std::uint64_t> before;
        for (const std::size_t at : order) {
            bring(village, history.parcels()[at]);
            std::map<std::string, std::uint64_t> after = heights(village);
            for (const auto& [lane, height] : before) RC_ASSERT(after[lane] >= height);
            before = std::move(after);
        }
        // What was refused because something before it was missing comes again with a later stick.
        for (const Parcel& parcel : history.parcels()) bring(village, parcel);
        RC_ASSERT(village.state() == wanted);
        RC_ASSERT(must(village->verify()) == 6u);
    });
    EXPECT_TRUE(holds);
}

TEST(AnyOrder, AMutatedBatchChangesNothingOrArrivesAsItWasMeant) {
    Box hub;
    hub.publish(edition_of("rice", 1));
    const GitId known = hub.head().head;
    const Batches first = hub.export_from(std::nullopt);
    hub.publish(edition_of("rice", 2));
    const Batches news = hub.export_from(known);
    const std::string wanted = hub.state();
    std::unique_ptr<Box> village;
    std::string before;
    const bool holds = rc::check([&] {
        if (!village) {
            village = std::make_unique<Box>();
            must(village->accept(known, first));
            before = village->state();
        }
        Batches batches = news;
        ByteBuffer& batch = batches[*rc::gen::inRange<std::size_t>(0, batches.size())];
        const std::size_t place = *rc::gen::inRange<std::size_t>(0, batch.size());
        batch[place] ^= static_cast<std::uint8_t>(1u << *rc::gen::inRange(0, 8));
        if (!village->accept(hub.head().head, batches).has_value()) {
            RC_ASSERT(village->state() == before);
        } else {
            RC_ASSERT(village->state() == wanted);
            village.reset();
        }
    });
    EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace satchel::catalogue
