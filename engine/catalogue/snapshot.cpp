// First everything is read and followed from the heads' signatures down to the documents' bytes; only then a
// file is written. SNAPSHOT gets its name last: without it the copy is not whole.
#include "engine/catalogue/snapshot.hpp"

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/commit_format.hpp"
#include "engine/catalogue/signers.hpp"
#include "engine/catalogue/tree.hpp"

namespace satchel::catalogue {

namespace {

constexpr char kReviewNamespace[] = "satchel-review";
constexpr char kRootNamespace[] = "satchel-root";
constexpr std::size_t kVersionDigits = 6;
constexpr std::size_t kHashDigits = 16;

std::string digits(std::int64_t number) {
    std::string text = std::to_string(number);
    if (text.size() < kVersionDigits) text.insert(0, kVersionDigits - text.size(), '0');
    return text;
}

std::string short_hex(ByteView bytes) { return to_hex(bytes).substr(0, kHashDigits); }

using Visit = std::function<Result<void>(const std::string& path, ByteView content)>;

// The documents of one head, each proven: what the walk returns is the digest that the parent must state.
class Documents {
  public:
    Documents(ObjectSource& source, const Visit& visit) : source_(source), visit_(visit) {}

    Result<void> of_head(const std::string& folder, const GitId& head) {
        SATCHEL_TRY(const GitObject object, source_.get(head, GitType::kCommit));
        SATCHEL_TRY(const Commit commit, parse_commit(head, object.data));
        SATCHEL_TRY_VOID(
            trust::ssh_verify(commit.signature, kCommitNamespace, bytes_of(commit.signed_bytes)));
        SATCHEL_TRY(const Digest digest, of_tree(folder, commit.tree, 0));
        if (digest != commit.tree_digest.digest)
            return object_is_damaged(head, "its documents differ from what it signs");
        return {};
    }

  private:
    Result<Digest> of_tree(const std::string& folder, const GitId& id, std::size_t depth) {
        if (depth >= kTreeDepthMax) return object_is_damaged(id, "too deep");
        SATCHEL_TRY(const Tree tree, read_tree(source_, id));
        std::vector<Digest> children;
        for (const TreeEntry& entry : tree) {
            const std::string path = env::join(folder, entry.name);
            if (!env::is_valid_path(path)) return object_is_damaged(id, "a name");
            if (entry.is_tree) {
                SATCHEL_TRY(const Digest below, of_tree(path, entry.id, depth + 1));
                children.push_back(below);
                continue;
            }
            SATCHEL_TRY(const GitObject blob, source_.get(entry.id, GitType::kBlob));
            children.push_back(hash_of(blob.data));
            SATCHEL_TRY_VOID(visit_(path, blob.data));
        }
        return tree_digest(tree, children);
    }

    ObjectSource& source_;
    const Visit& visit_;
};

class Snapshot {
  public:
    Snapshot(database::Database& database, trust::TrustStore& trust, ObjectSource& source)
        : database_(database), trust_(trust), source_(source) {}

    Result<void> for_each_file(const Visit& visit) {
        SATCHEL_TRY_VOID(lanes(visit));
        SATCHEL_TRY_VOID(roots(visit));
        return reviews(visit);
    }

  private:
    Result<void> lanes(const Visit& visit) {
        std::string heads;
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT name, head, height FROM lane ORDER BY name"));
        while (true) {
            SATCHEL_TRY(const bool row, select.step());
            if (!row) return visit("HEADS", bytes_of(heads));
            const std::string lane(select.text(0));
            const std::optional<GitId> head = git_id_from_bytes(select.blob(1));
            if (!head) return object_is_damaged({}, "the head of lane " + lane);
            heads += lane + " " + to_hex(ByteView(*head)) + " " + std::to_string(select.integer(2)) + "\n";
            Documents documents(source_, visit);
            SATCHEL_TRY_VOID(documents.of_head(env::join("lanes", lane_file_name(lane)), *head));
        }
    }

    Result<void> roots(const Visit& visit) {
        std::set<std::string> signers;
        const auto allow = [&](const std::vector<trust::KeyHolder>& holders, const char* name_space) {
            for (const trust::KeyHolder& holder : holders) signers.insert(signer_line(holder, name_space));
        };
        SATCHEL_TRY(const std::vector<trust::SignedRoot> chain, trust_.roots(1));
        for (const trust::SignedRoot& next : chain) {
            SATCHEL_TRY(const trust::Root root, trust::decode_root(next.document));
            const std::string path = "roots/" + digits(root.version) + ".json";
            SATCHEL_TRY_VOID(visit(path, next.document));
            for (std::size_t at = 0; at < next.signatures.size(); ++at)
                SATCHEL_TRY_VOID(visit(path + "." + std::to_string(at + 1) + ".sig",
                                       bytes_of(next.signatures[at] + "\n")));
            allow(root.keys, kRootNamespace);
            if (&next != &chain.back()) continue;
            for (const trust::Lane& lane : root.lanes) {
                allow(lane.editors, kCommitNamespace);
                allow(lane.reviewers, kReviewNamespace);
            }
        }
        std::string lines;
        for (const std::string& line : signers) lines += line;
        return visit("allowed_signers", bytes_of(lines));
    }

    Result<void> reviews(const Visit& visit) {
        SATCHEL_TRY(
            database::Statement select,
            database_.prepare("SELECT course, edition, reviewer_key, statement, signature FROM review "
                              "ORDER BY course, edition, reviewer_key"));
        while (true) {
            SATCHEL_TRY(const bool row, select.step());
            if (!row) return {};
            const std::string folder = "reviews/" + short_hex(hash_of(bytes_of(select.text(0))));
            const std::string path =
                folder + "/" + digits(select.integer(1)) + "-" + short_hex(select.blob(2)) + ".txt";
            SATCHEL_TRY_VOID(visit(path, select.blob(3)));
            SATCHEL_TRY_VOID(visit(path + ".sig", bytes_of(std::string(select.text(4)) + "\n")));
        }
    }

    database::Database& database_;
    trust::TrustStore& trust_;
    ObjectSource& source_;
};

Result<void> demand_empty(env::Disk& target, const std::string& directory) {
    SATCHEL_TRY(const bool there, env::exists(target, directory));
    if (!there) return {};
    SATCHEL_TRY(const std::vector<env::EntryInfo> entries, target.list(directory));
    if (entries.empty()) return {};
    return fail(ErrorCode::kExists, target.describe(directory), "the folder is not empty",
                "export to an empty folder");
}

// The files are not synced one by one: forty thousand would take minutes, and a copy is easily made again.
// Only SNAPSHOT is, and it tells what a power cut took.
class Copy {
  public:
    Copy(env::Disk& target, std::string directory) : target_(target), directory_(std::move(directory)) {}

    Result<void> put(const std::string& path, ByteView content) {
        const std::string full = env::join(directory_, path);
        if (const std::string_view folder = env::parent_of(full); folder != folder_) {
            SATCHEL_TRY_VOID(env::make_directories(target_, folder));
            folder_ = folder;
        }
        SATCHEL_TRY(const std::unique_ptr<env::File> file, target_.open(full, env::OpenMode::kCreateNew));
        SATCHEL_TRY_VOID(file->set_mode(kMode));
        sums_ += to_hex(ByteView(hash_of(content))) + "  " + path + "\n";
        return file->write_at(0, content);
    }

    Result<void> finish() {
        SATCHEL_TRY_VOID(
            env::replace_file(target_, env::join(directory_, "SNAPSHOT"), bytes_of(sums_), kMode));
        return target_.sync_directory(env::parent_of(directory_));
    }

  private:
    static constexpr std::uint32_t kMode = 0644;
    env::Disk& target_;
    const std::string directory_;
    std::string folder_;  // the last one made: files come folder by folder
    std::string sums_;
};

}  // namespace

Result<void> write_snapshot(database::Database& database, trust::TrustStore& trust, env::Disk& target,
                            std::string_view directory) {
    SATCHEL_TRY_VOID(demand_empty(target, std::string(directory)));
    SATCHEL_TRY(ObjectTable table, ObjectTable::open(database, "git_object"));
    KeptObjects source(table);
    Snapshot snapshot(database, trust, source);
    SATCHEL_TRY_VOID(snapshot.for_each_file([](const std::string&, ByteView) -> Result<void> { return {}; }));
    Copy copy(target, std::string(directory));
    SATCHEL_TRY_VOID(snapshot.for_each_file(
        [&](const std::string& path, ByteView content) -> Result<void> { return copy.put(path, content); }));
    return copy.finish();
}

}  // namespace satchel::catalogue
