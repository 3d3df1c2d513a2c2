#include "engine/site/checkout_sums.hpp"

#include "engine/base/encoding.hpp"

namespace satchel::site {

namespace {

constexpr std::size_t kFlushFrom = 64 * 1024;
constexpr std::string_view kOwnerPrefix = "# satchel course ";  // b2sum passes over such a line

// `b2sum` escapes names that hold a backslash or a line feed and marks the line with a backslash.
std::string sums_line(const Digest& digest, const std::string& path) {
    std::string escaped;
    for (const char c : path) {
        if (c == '\\')
            escaped += "\\\\";
        else if (c == '\n')
            escaped += "\\n";
        else
            escaped += c;
    }
    return (escaped == path ? "" : "\\") + to_hex(digest) + "  " + escaped + "\n";
}

}  // namespace

CheckoutSums::CheckoutSums(env::Disk& target, std::string folder, const std::string& course)
    : target_(target),
      folder_(std::move(folder)),
      owner_line_(std::string(kOwnerPrefix) + to_hex(hash_of(bytes_of(course))) + "\n") {}

Result<void> CheckoutSums::check_owner() {
    const Result<bool> there = env::exists(target_, path());
    if (!there.has_value() || !*there) return {};  // what the target cannot hold is said when it is written
    SATCHEL_TRY(const std::unique_ptr<env::File> file, target_.open(path(), env::OpenMode::kRead));
    ByteBuffer head(owner_line_.size());
    SATCHEL_TRY(const std::size_t got, file->read_at(0, head));
    const std::string_view line = text_of(ByteView(head).first(got));
    if (!line.starts_with(kOwnerPrefix) || line == owner_line_) return {};
    return fail(ErrorCode::kExists, target_.describe(folder_),
                "another course was checked out to this folder", "name a folder of its own for each course");
}

Result<void> CheckoutSums::begin() {
    SATCHEL_TRY(file_, target_.open(path(), env::OpenMode::kWrite));
    append(pending_, bytes_of(owner_line_));
    return file_->truncate(0);
}

Result<void> CheckoutSums::note(const Digest& digest, const std::string& entry_path) {
    append(pending_, bytes_of(sums_line(digest, env::join(folder_, entry_path))));
    return pending_.size() < kFlushFrom ? Result<void>() : flush();
}

Result<void> CheckoutSums::end() {
    SATCHEL_TRY_VOID(flush());
    file_.reset();
    return {};
}

Result<void> CheckoutSums::flush() {
    SATCHEL_TRY_VOID(file_->write_at(size_, pending_));
    size_ += pending_.size();
    pending_.clear();
    return {};
}

}  // namespace satchel::site
