// A network in small for the tests of the catalogue: keys, roots, sites on simulated disks, and a forger who
// can write any commit into a lane.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/catalogue.hpp"
#include "engine/catalogue/commit_format.hpp"
#include "engine/catalogue/git_repository.hpp"
#include "engine/catalogue/object_batch.hpp"
#include "engine/catalogue/tree_diff.hpp"
#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"

namespace satchel::catalogue {

// The value of a result that must be there; the test ends with the error's words otherwise.
template <typename T>
T must(Result<T> result) {
    if (!result.has_value()) {
        const Error& error = result.error();
        throw std::runtime_error(error.about + ": " + error.reason.text() + " [" + error.detail + "]");
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <typename T>
std::string reason_of(const Result<T>& result) {
    return result.has_value() ? std::string() : std::string(result.error().reason.text());
}

inline trust::SigningKey key_of(std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return trust::SigningKey::from_seed(bytes);
}
inline trust::KeyHolder holder_of(std::uint8_t seed, std::string name) {
    return {key_of(seed).public_key(), std::move(name)};
}

inline constexpr std::uint8_t kRootSeed = 1;
inline constexpr std::uint8_t kEditor = 11;
inline constexpr std::uint8_t kOtherEditor = 12;
inline constexpr std::uint8_t kReviewer = 21;
inline constexpr std::uint8_t kOtherReviewer = 22;

inline trust::Root first_root(std::uint32_t reviews_needed = 0) {
    trust::Root root;
    root.network = "county";
    root.utc_offset_minutes = 480;
    root.keys = {holder_of(kRootSeed, "root")};
    trust::Lane office;
    office.name = "office";
    office.editors = {holder_of(kEditor, "editor")};
    office.reviewers = {holder_of(kReviewer, "reviewer"), holder_of(kOtherReviewer, "second reviewer")};
    office.reviews_needed = reviews_needed;
    root.lanes = {office};
    return root;
}
inline trust::SignedRoot sign(const trust::Root& root) {
    const std::string document = encode(root);
    return {ByteBuffer(document.begin(), document.end()),
            {trust::ssh_sign(key_of(kRootSeed), "satchel-root", bytes_of(document))}};
}

inline Edition edition_of(const std::string& course, std::uint32_t number, const std::string& content = "") {
    Edition edition;
    edition.course = course;
    edition.number = number;
    edition.manifest = ChunkId{hash_of(bytes_of(course + std::to_string(number) + content))};
    edition.files = 12;
    edition.bytes = 345'678;
    edition.metadata.title = {{"en", "Title of " + course}, {"zh", "课程 " + course}};
    edition.metadata.theme = "farming";
    return edition;
}
inline DocumentChange change_of(const Edition& edition) {
    return {edition_path(edition.course, edition.number), encode(edition)};
}

inline trust::SiteEntry site_of(std::uint8_t seed, trust::SiteState state = trust::SiteState::kActive) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    trust::SiteEntry entry;
    entry.signing_key = key_of(seed).public_key();
    entry.id = trust::site_id_of(entry.signing_key);
    entry.name = "village " + std::to_string(seed);
    entry.sealing_key = trust::SealingKey::from_seed(bytes).public_key();
    entry.state = state;
    return entry;
}
inline DocumentChange change_of(const trust::SiteEntry& entry) {
    return {site_path(entry.id), encode(entry)};
}

using Batches = std::vector<ByteBuffer>;
inline std::size_t total_bytes(const Batches& batches) {
    std::size_t bytes = 0;
    for (const ByteBuffer& batch : batches) bytes += batch.size();
    return bytes;
}

// A site's catalogue on a disk of its own.
class Box {
  public:
    explicit Box(std::vector<trust::SignedRoot> roots = {sign(first_root())}, env::Disk* disk = nullptr)
        : disk_(disk != nullptr ? *disk : own_disk_), network_(network_id_of(roots.front())) {
        open();
        take_roots(roots);
    }

    void open() {
        catalogue_.reset();
        trust_.reset();
        database_.reset();
        database_ = must(database::Database::open(disk_, world_.world(), "site.db"));
        trust_ = std::make_unique<trust::TrustStore>(*database_);
        catalogue_ = must(Catalogue::open(*database_, world_.world(), *trust_, network_));
    }

    void take_roots(const std::vector<trust::SignedRoot>& roots) {
        {
            database::Transaction transaction = must(database::Transaction::begin(*database_));
            must(trust_->accept_roots(network_, roots));
            must(transaction.commit());
        }
        must(catalogue_->refresh_currency());
    }

    CommitInfo publish(const Edition& edition, std::uint8_t editor = kEditor,
                       const std::string& lane = "office") {
        return must(
            catalogue_->commit(lane, key_of(editor), "Publish " + edition.course, {change_of(edition)}));
    }

    LaneHead head(const std::string& lane = "office") {
        for (const LaneHead& head : must(catalogue_->heads()))
            if (head.lane == lane) return head;
        return {};
    }

    Batches export_from(const std::optional<GitId>& known, const std::string& lane = "office") {
        Batches batches;
        must(catalogue_->export_objects(lane, known, [&](ByteView batch) -> Result<void> {
            batches.emplace_back(batch.begin(), batch.end());
            return {};
        }));
        return batches;
    }

    Result<Accepted> accept(const GitId& head, const Batches& batches, const std::string& lane = "office") {
        SATCHEL_TRY_VOID(catalogue_->begin_accept(lane, head));
        for (const ByteBuffer& batch : batches) SATCHEL_TRY_VOID(catalogue_->add_batch(batch));
        return catalogue_->finish_accept();
    }
    Result<Accepted> accept_from(Box& other, const std::string& lane = "office") {
        const LaneHead own = head(lane);
        const std::optional<GitId> known = own.height == 0 ? std::nullopt : std::optional(own.head);
        return accept(other.head(lane).head, other.export_from(known, lane), lane);
    }

    // All that a site shows of its catalogue, and the objects it keeps.
    std::string state() {
        std::string text;
        for (const LaneHead& head : must(catalogue_->heads()))
            text += head.lane + " " + to_hex(ByteView(head.head)) + " " + std::to_string(head.height) + "\n";
        must(catalogue_->for_each_edition([&](const EditionState& state) -> Result<void> {
            text += encode(state.edition) + std::to_string(state.approvals) + " " +
                    std::to_string(state.rejections) + (state.is_current ? " current\n" : "\n");
            return {};
        }));
        must(catalogue_->for_each_review([&](const Review& review, const std::string& holder,
                                             const SignedReview& signed_review) -> Result<void> {
            text += encode(review) + holder + signed_review.signature + "\n";
            return {};
        }));
        must(trust_->for_each_site([&](const trust::SiteEntry& entry) -> Result<void> {
            text += encode(entry);
            return {};
        }));
        database::Statement objects =
            must(database_->prepare("SELECT hex(oid), hex(digest) FROM git_object ORDER BY oid"));
        while (must(objects.step()))
            text += std::string(objects.text(0)) + " " + std::string(objects.text(1)) + "\n";
        return text;
    }

    SignedReview review(const Edition& edition, std::uint8_t reviewer, Verdict verdict = Verdict::kApprove,
                        ReviewRole role = ReviewRole::kContent) const {
        const std::string statement =
            encode(Review{network_, edition.course, edition.number, edition.manifest, verdict, role});
        return {ByteBuffer(statement.begin(), statement.end()),
                trust::ssh_sign(key_of(reviewer), "satchel-review", bytes_of(statement))};
    }

    Catalogue& operator*() { return *catalogue_; }
    Catalogue* operator->() { return catalogue_.get(); }
    trust::TrustStore& trust() { return *trust_; }
    database::Database& database() { return *database_; }
    const NetworkId& network() const { return network_; }
    simulations::SimWorld& world() { return world_; }
    env::Disk& disk() { return disk_; }

  private:
    simulations::SimDisk own_disk_;
    env::Disk& disk_;
    simulations::SimWorld world_;
    NetworkId network_;
    std::unique_ptr<database::Database> database_;
    std::unique_ptr<trust::TrustStore> trust_;
    std::unique_ptr<Catalogue> catalogue_;
};

// Someone who holds a box's objects, maybe an editor's key, and keeps none of the rules.
class Forger {
  public:
    // Begins with the lane as `box` has it, or with nothing.
    explicit Forger(Box& box, const std::string& lane = "office") : Forger(box.network(), lane) {
        if (box.head(lane).height == 0) return;
        head_ = box.head(lane).head;
        for (const ByteBuffer& bytes : box.export_from(std::nullopt, lane)) {
            const Batch batch = must(Batch::decode(bytes));
            for (const PlainObject& object : batch.objects()) must(put(object.type, object.data));
        }
        const Commit commit = must(parse_commit(*head_, must(objects().find(*head_))->data));
        tree_ = commit.tree;
        parent_digest_ = hash_of(must(objects().find(*head_))->data);
    }
    explicit Forger(const NetworkId& network, const std::string& lane = "office")
        : parent_digest_(lane_origin(network, lane)) {
        database_ = must(database::Database::open(disk_, world_.world(), "forged.db"));
        objects_ = std::make_unique<ObjectTable>(must(ObjectTable::open(*database_, "git_object")));
        git_ = must(GitRepository::open(*objects_));
    }

    // A tree, a commit, a signature: each may be replaced before it is used.
    GitId tree_with(const std::vector<DocumentChange>& changes) {
        GitRepository::Changes blobs;
        for (const DocumentChange& change : changes) {
            blobs[change.path] = std::nullopt;
            if (change.content) blobs[change.path] = must(git_->write_blob(bytes_of(*change.content)));
        }
        return must(git_->write_tree(tree_, blobs)).value();
    }
    Digest digest_of_tree(const GitId& tree) { return must(objects_->digest(tree, GitType::kTree)).value(); }

    struct Lies {
        std::optional<Digest> tree_digest = {};
        std::optional<Digest> parent_digest = {};
    };
    std::string content(const GitId& tree, const Lies& lies) {
        const std::string message =
            message_with_trailers("Forged", lies.tree_digest.value_or(digest_of_tree(tree)),
                                  lies.parent_digest.value_or(parent_digest_));
        const std::string person = " editor <office@satchel.invalid> 1000 +0000\n";
        return "tree " + to_hex(ByteView(tree)) + "\n" +
               (head_ ? "parent " + to_hex(ByteView(*head_)) + "\n" : "") + "author" + person + "committer" +
               person + "\n" + message;
    }
    GitId commit(const GitId& tree, std::uint8_t editor, const Lies& lies) {
        const std::string signed_bytes = content(tree, lies);
        return add_commit(tree, signed_bytes, trust::ssh_sign(key_of(editor), "git", bytes_of(signed_bytes)));
    }
    GitId commit(const std::vector<DocumentChange>& changes, std::uint8_t editor = kEditor) {
        return commit(tree_with(changes), editor, Lies());
    }
    GitId add_commit(const GitId& tree, const std::string& signed_bytes, const std::string& signature) {
        head_ = must(git_->write_commit(signed_bytes, signature));
        tree_ = tree;
        parent_digest_ = hash_of(must(objects_->find(*head_))->data);
        return *head_;
    }
    GitId put_commit(std::string bytes, const GitId& tree) {
        head_ = must(put(GitType::kCommit, bytes_of(bytes)));
        tree_ = tree;
        parent_digest_ = hash_of(bytes_of(bytes));
        return *head_;
    }
    // Any bytes as an object; a tree's digest is then whatever the forger says.
    Result<GitId> put(GitType type, ByteView data, const std::optional<Digest>& digest = std::nullopt) {
        const GitId id = git_id_of(type, data);
        std::optional<Digest> said = digest;
        if (!said && type == GitType::kTree) {
            const Result<Tree> tree = parse_tree(id, data);
            std::vector<Digest> children;
            if (tree.has_value())
                for (const TreeEntry& entry : *tree)
                    children.push_back(
                        must(objects_->digest(entry.id, entry.is_tree ? GitType::kTree : GitType::kBlob))
                            .value_or(Digest{}));
            said = tree.has_value() ? tree_digest(*tree, children) : Digest{};
        }
        SATCHEL_TRY_VOID(objects_->insert(id, type, said.value_or(hash_of(data)), data));
        return id;
    }

    // Everything this forger has.
    Batches batches() {
        Batches all;
        BatchWriter writer([&](ByteView batch) -> Result<void> {
            all.emplace_back(batch.begin(), batch.end());
            return {};
        });
        database::Statement select =
            must(database_->prepare("SELECT type, data FROM git_object ORDER BY rowid"));
        while (must(select.step())) must(writer.add(static_cast<GitType>(select.integer(0)), select.blob(1)));
        must(writer.finish());
        return all;
    }
    [[nodiscard]] GitId head() const { return head_.value_or(GitId{}); }
    [[nodiscard]] std::optional<GitId> tree() const { return tree_; }
    ObjectTable& objects() { return *objects_; }

  private:
    simulations::SimDisk disk_;
    simulations::SimWorld world_;
    std::unique_ptr<database::Database> database_;
    std::unique_ptr<ObjectTable> objects_;
    std::unique_ptr<GitRepository> git_;
    std::optional<GitId> head_;
    std::optional<GitId> tree_;
    Digest parent_digest_;
};

}  // namespace satchel::catalogue
