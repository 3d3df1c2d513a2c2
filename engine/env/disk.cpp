#include "engine/env/disk.hpp"

namespace satchel::env {

bool is_valid_path(std::string_view path) {
    if (path.empty()) return true;
    if (path.find('\0') != std::string_view::npos) return false;
    for (std::size_t start = 0;;) {
        const std::size_t end = path.find('/', start);
        const std::string_view part = path.substr(start, end == std::string_view::npos ? end : end - start);
        if (part.empty() || part == "." || part == "..") return false;
        if (end == std::string_view::npos) return true;
        start = end + 1;
    }
}

std::string join(std::string_view directory, std::string_view name) {
    if (directory.empty()) return std::string(name);
    return std::string(directory) + "/" + std::string(name);
}

std::string_view parent_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view last_part(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Result<bool> exists(Disk& disk, std::string_view path) {
    const Result<EntryInfo> info = disk.stat(path);
    if (info.has_value()) return true;
    if (info.error().code == ErrorCode::kNotFound) return false;
    return info.error();
}

Result<void> make_directories(Disk& disk, std::string_view path) {
    for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
        const std::string_view prefix = path.substr(0, end);
        if (!prefix.empty()) SATCHEL_TRY_VOID(disk.make_directory(prefix));
        if (end == std::string_view::npos) return {};
    }
}

Result<ByteBuffer> read_file(Disk& disk, std::string_view path, std::size_t size_max) {
    SATCHEL_TRY(const std::unique_ptr<File> file, disk.open(path, OpenMode::kRead));
    SATCHEL_TRY(const std::uint64_t size, file->size());
    if (size > size_max)
        return fail(ErrorCode::kTooLarge, disk.describe(path), "the file is larger than its kind allows",
                    "check that this is the right file", std::to_string(size) + " bytes");
    ByteBuffer content(static_cast<std::size_t>(size));
    SATCHEL_TRY(const std::size_t got, file->read_at(0, content));
    content.resize(got);
    return content;
}

Result<void> replace_file(Disk& disk, std::string_view path, ByteView content, std::uint32_t mode) {
    const std::string fresh = std::string(path) + ".new";
    if (const Result<void> removed = disk.remove_file(fresh);
        !removed.has_value() && removed.error().code != ErrorCode::kNotFound)
        return removed.error();
    {
        SATCHEL_TRY(const std::unique_ptr<File> file, disk.open(fresh, OpenMode::kCreateNew));
        SATCHEL_TRY_VOID(file->set_mode(mode));
        SATCHEL_TRY_VOID(file->write_at(0, content));
        SATCHEL_TRY_VOID(file->sync());
    }
    SATCHEL_TRY_VOID(disk.rename(fresh, path));
    return disk.sync_directory(parent_of(path));
}

}  // namespace satchel::env
