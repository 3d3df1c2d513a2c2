#include "engine/catalogue/whole_files.hpp"

namespace satchel::catalogue {

namespace {

constexpr char kPartialName[] = "satchel-part";
constexpr std::uint32_t kMode = 0644;  // for people; nothing in it is secret

Result<void> unless_missing(Result<void> result) {
    if (!result.has_value() && result.error().code == ErrorCode::kNotFound) return {};
    return result;
}

}  // namespace

WholeFiles::WholeFiles(env::Disk& disk, std::string_view folder) : disk_(disk), folder_(folder) {}

std::string WholeFiles::path_of(std::string_view path) const { return env::join(folder_, path); }
std::string WholeFiles::partial_path() const { return path_of(kPartialName); }

// A folder's own name may be new too, so those above it go with it, up to the one that holds all.
void WholeFiles::note_changed(std::string_view directory) {
    changed_.insert(std::string(directory));
    while (directory.size() > folder_.size()) {
        directory = env::parent_of(directory);
        changed_.insert(std::string(directory));
    }
    changed_.insert(std::string(env::parent_of(folder_)));
}

Result<void> WholeFiles::begin() {
    SATCHEL_TRY_VOID(make_folder(""));
    return unless_missing(disk_.remove_file(partial_path()));
}

Result<void> WholeFiles::make_folder(std::string_view path) {
    const std::string full = path.empty() ? folder_ : path_of(path);
    if (!made_.insert(full).second) return {};
    note_changed(full);
    return env::make_directories(disk_, full);
}

Result<std::unique_ptr<env::File>> WholeFiles::open_partial() {
    SATCHEL_TRY(std::unique_ptr<env::File> file, disk_.open(partial_path(), env::OpenMode::kCreateNew));
    SATCHEL_TRY_VOID(file->set_mode(kMode));
    return file;
}

Result<void> WholeFiles::place_partial(std::string_view path) {
    SATCHEL_TRY_VOID(make_folder(env::parent_of(path)));
    const std::string full = path_of(path);
    note_changed(env::parent_of(full));
    return disk_.rename(partial_path(), full);
}

Result<void> WholeFiles::put(std::string_view path, ByteView content) {
    {
        SATCHEL_TRY(const std::unique_ptr<env::File> file, open_partial());
        SATCHEL_TRY_VOID(file->write_at(0, content));
        SATCHEL_TRY_VOID(file->sync());
    }
    return place_partial(path);
}

Result<void> WholeFiles::put_if_other(std::string_view path, ByteView content) {
    const Result<ByteBuffer> there = env::read_file(disk_, path_of(path), content.size());
    if (there.has_value() && equal(*there, content)) return {};
    return put(path, content);
}

Result<void> WholeFiles::settle() {
    for (const std::string& directory : changed_) SATCHEL_TRY_VOID(disk_.sync_directory(directory));
    changed_.clear();
    return {};
}

Result<void> remove_tree(env::Disk& disk, const std::string& path) {
    const Result<env::EntryInfo> info = disk.stat(path);
    if (!info.has_value() && info.error().code == ErrorCode::kNotFound) return {};
    if (!info.has_value()) return info.error();
    if (info->kind != env::EntryKind::kDirectory) return disk.remove_file(path);
    SATCHEL_TRY(const std::vector<env::EntryInfo> entries, disk.list(path));
    for (const env::EntryInfo& entry : entries)
        SATCHEL_TRY_VOID(remove_tree(disk, env::join(path, entry.name)));
    return disk.remove_directory(path);
}

}  // namespace satchel::catalogue
