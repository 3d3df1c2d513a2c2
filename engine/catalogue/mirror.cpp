// Order of writing, so that git finds a sound repository after a stop at any place: objects and packs, each
// whole under its final name; their folders synced; then branches; then the note how far the mirror is. What
// a stop left unnoted is written once more.
#include "engine/catalogue/mirror.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/commit_format.hpp"
#include "engine/catalogue/git_pack.hpp"
#include "engine/catalogue/signers.hpp"

namespace satchel::catalogue {

namespace {

// Each loose object costs a sync of its own, a pack costs two: from here on the pack is quicker.
constexpr std::uint64_t kLooseMax = 256;
constexpr char kState[] = "satchel-mirror";
constexpr std::string_view kStateTitle = "Satchel mirror, version 1: written up to object ";
constexpr std::size_t kStateMax = 200;
constexpr char kFirstLane[] = "office";  // of a site without a root, for HEAD
// Relative, so that the site's folder can be moved: use `git -C`.
constexpr std::string_view kConfig =
    "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
    "[gpg]\n\tformat = ssh\n[gpg \"ssh\"]\n\tallowedSignersFile = allowed_signers\n";

class Mirror {
  public:
    Mirror(database::Database& database, env::Disk& disk, std::string_view directory)
        : database_(database), disk_(disk), files_(disk, directory) {}

    Result<void> bring_up(const std::optional<trust::Root>& root) {
        SATCHEL_TRY_VOID(files_.begin());
        SATCHEL_TRY(std::optional<std::int64_t> done, written_up_to());
        if (!done) {
            SATCHEL_TRY_VOID(clear());
            done = 0;
        }
        SATCHEL_TRY_VOID(files_.make_folder("objects"));
        SATCHEL_TRY_VOID(files_.make_folder("refs/heads"));
        SATCHEL_TRY(const std::int64_t last, write_objects(*done));
        SATCHEL_TRY_VOID(files_.settle());
        SATCHEL_TRY_VOID(write_settings(root));
        SATCHEL_TRY_VOID(write_branches());
        SATCHEL_TRY_VOID(files_.settle());
        SATCHEL_TRY(const std::string state, state_at(last));
        SATCHEL_TRY_VOID(files_.put_if_other(kState, bytes_of(state)));
        return files_.settle();
    }

    Result<void> adopt() {
        SATCHEL_TRY_VOID(files_.begin());
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT coalesce(max(rowid), 0) FROM git_object"));
        SATCHEL_TRY(const bool row, select.step());
        SATCHEL_TRY(const std::string state, state_at(row ? select.integer(0) : 0));
        SATCHEL_TRY_VOID(files_.put_if_other(kState, bytes_of(state)));
        return files_.settle();
    }

  private:
    // The row that the mirror was written up to, named with its object: another site.db has another there.
    Result<std::string> state_at(std::int64_t row) {
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT oid FROM git_object WHERE rowid = ?"));
        select.bind(1, row);
        SATCHEL_TRY(const bool there, select.step());
        return std::string(kStateTitle) + std::to_string(row) + " " + (there ? to_hex(select.blob(0)) : "-") +
               "\n";
    }

    // nullopt: there is no mirror, or not a whole one, or of another site.db.
    Result<std::optional<std::int64_t>> written_up_to() {
        const std::optional<std::int64_t> none;
        for (const char* part : {"HEAD", "objects", "refs", kState}) {
            SATCHEL_TRY(const bool there, env::exists(disk_, files_.path_of(part)));
            if (!there) return none;
        }
        const Result<ByteBuffer> file = env::read_file(disk_, files_.path_of(kState), kStateMax);
        if (!file.has_value()) return none;
        const std::string text(text_of(*file));
        if (!text.starts_with(kStateTitle)) return none;
        std::int64_t row = 0;
        for (std::size_t at = kStateTitle.size(); at < text.size() && text[at] >= '0' && text[at] <= '9';
             ++at) {
            row = row * 10 + (text[at] - '0');
            if (row > INT64_MAX / 20) return none;
        }
        SATCHEL_TRY(const std::string expected, state_at(row));
        return text == expected ? std::optional(row) : none;
    }

    // The note goes first, and for sure: half a mirror must not look like a whole one.
    Result<void> clear() {
        SATCHEL_TRY_VOID(remove_tree(disk_, files_.path_of(kState)));
        SATCHEL_TRY_VOID(files_.settle());
        SATCHEL_TRY_VOID(remove_tree(disk_, files_.path_of("refs")));
        return remove_tree(disk_, files_.path_of("objects"));
    }

    // Returns the last row. Rows are in order of arrival and never change.
    Result<std::int64_t> write_objects(std::int64_t after) {
        while (true) {
            SATCHEL_TRY(const Part part, next_part(after));
            if (part.count == 0) return after;
            if (part.count <= kLooseMax)
                SATCHEL_TRY_VOID(write_loose(after, part));
            else
                SATCHEL_TRY_VOID(write_pack(after, part));
            after = part.last;
        }
    }

    struct Part {
        std::int64_t last = 0;
        std::uint32_t count = 0;
    };

    // As many of the next rows as fit into one pack.
    Result<Part> next_part(std::int64_t after) {
        SATCHEL_TRY(
            database::Statement select,
            database_.prepare("SELECT rowid, size FROM git_object WHERE rowid > ? ORDER BY rowid LIMIT ?"));
        select.bind(1, after).bind(2, std::int64_t{kGitPackObjectsMax});
        Part part;
        std::uint64_t bytes = 0;
        while (true) {
            SATCHEL_TRY(const bool row, select.step());
            if (!row || bytes >= kGitPackPlainBytesMax) return part;
            part.last = select.integer(0);
            part.count += 1;
            bytes += static_cast<std::uint64_t>(std::max<std::int64_t>(0, select.integer(1)));
        }
    }

    using Visit = std::function<Result<void>(const GitId&, GitType, ByteView data)>;
    Result<void> for_each_object(std::int64_t after, const Part& part, const Visit& visit) {
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT oid, type, data FROM git_object WHERE rowid > ? AND rowid <= ? "
                                      "ORDER BY rowid"));
        select.bind(1, after).bind(2, part.last);
        while (true) {
            SATCHEL_TRY(const bool row, select.step());
            if (!row) return {};
            const std::optional<GitId> id = git_id_from_bytes(select.blob(0));
            const std::optional<GitType> type = git_type_of(static_cast<std::uint64_t>(select.integer(1)));
            const ByteView data = select.blob(2);
            // A damaged row must not become git's copy of it.
            if (!id || !type || data.size() > kGitObjectMax || git_id_of(*type, data) != *id)
                return object_is_damaged(id.value_or(GitId{}), "its bytes do not match its id");
            SATCHEL_TRY_VOID(visit(*id, *type, data));
        }
    }

    Result<void> write_loose(std::int64_t after, const Part& part) {
        Deflater deflater;
        return for_each_object(
            after, part, [&](const GitId& id, GitType type, ByteView data) -> Result<void> {
                constexpr std::array<const char*, 4> kNames = {"", "commit ", "tree ", "blob "};
                ByteBuffer plain;
                Writer(plain)
                    .raw(kNames[static_cast<std::size_t>(type)])
                    .raw(std::to_string(data.size()))
                    .u8(0)
                    .raw(data);
                const std::string hex = to_hex(ByteView(id));
                return files_.put("objects/" + hex.substr(0, 2) + "/" + hex.substr(2),
                                  deflater.deflate(plain));
            });
    }

    Result<void> write_pack(std::int64_t after, const Part& part) {
        GitPackWriter pack(files_);
        SATCHEL_TRY_VOID(pack.begin(part.count));
        SATCHEL_TRY_VOID(for_each_object(after, part, [&](const GitId& id, GitType type, ByteView data) {
            return pack.add(id, type, data);
        }));
        return pack.finish();
    }

    Result<void> write_settings(const std::optional<trust::Root>& root) {
        std::set<std::string> lines;
        std::string first_lane = kFirstLane;
        if (root) {
            for (const trust::Lane& lane : root->lanes)
                for (const trust::KeyHolder& editor : lane.editors)
                    lines.insert(signer_line(editor, kCommitNamespace));
            if (!root->lanes.empty()) first_lane = root->lanes.front().name;
        }
        std::string signers;
        for (const std::string& line : lines) signers += line;
        SATCHEL_TRY_VOID(files_.put_if_other("config", bytes_of(kConfig)));
        SATCHEL_TRY_VOID(files_.put_if_other("allowed_signers", bytes_of(signers)));
        return files_.put_if_other("HEAD", bytes_of("ref: refs/heads/" + lane_file_name(first_lane) + "\n"));
    }

    Result<void> write_branches() {
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT name, head FROM lane ORDER BY name"));
        while (true) {
            SATCHEL_TRY(const bool row, select.step());
            if (!row) return {};
            const std::string head = to_hex(select.blob(1)) + "\n";
            SATCHEL_TRY_VOID(
                files_.put_if_other("refs/heads/" + lane_file_name(select.text(0)), bytes_of(head)));
        }
    }

    database::Database& database_;
    env::Disk& disk_;
    WholeFiles files_;
};

}  // namespace

Result<void> write_mirror(database::Database& database, trust::TrustStore& trust, env::Disk& disk,
                          std::string_view directory) {
    SATCHEL_TRY(const std::optional<trust::Root> root, trust.current_root());
    Mirror mirror(database, disk, directory);
    return mirror.bring_up(root);
}

Result<void> adopt_mirror(database::Database& database, env::Disk& disk, std::string_view directory) {
    return Mirror(database, disk, directory).adopt();
}

}  // namespace satchel::catalogue
