#include "transport/stick/layout.hpp"

#include <algorithm>
#include <cctype>

#include "engine/base/encoding.hpp"

namespace satchel::stick {

namespace {

constexpr std::string_view kRoot = "SATCHEL";
constexpr std::string_view kVolumeSuffix = ".SAT";
constexpr std::size_t kNameDigits = 8;

constexpr std::string_view kReadme =
    "This stick carries courseware between sites of a Satchel network.\r\n"
    "Please do not change, rename or delete anything in the folder SATCHEL.\r\n"
    "To take it in at a site: satchel stick read PATH-OF-THE-STICK\r\n"
    "\r\n"
    "本 U 盘在 Satchel 网络的站点之间传送课件。\r\n"
    "请不要修改、改名或删除 SATCHEL 文件夹里的任何内容。\r\n"
    "在站点读取：satchel stick read U盘路径\r\n";

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

// Drivers may show 8.3 names in lower case; the files are found under the upper-case name all the same.
std::optional<std::uint32_t> number_of(std::string_view digits) {
    if (digits.size() != kNameDigits) return std::nullopt;
    std::uint32_t number = 0;
    for (const char c : upper(digits)) {
        const bool decimal = c >= '0' && c <= '9';
        if (!decimal && (c < 'A' || c > 'F')) return std::nullopt;
        number = number << 4 | static_cast<std::uint32_t>(decimal ? c - '0' : c - 'A' + 10);
    }
    return number;
}

std::string eight_digits(std::uint32_t number) {
    ByteBuffer big_endian;
    for (int shift = 24; shift >= 0; shift -= 8)
        big_endian.push_back(static_cast<std::uint8_t>(number >> shift));
    return upper(to_hex(big_endian));
}

Error too_many(const std::string& about) {
    return fail(ErrorCode::kTooLarge, about, "the folder has too many entries", "use an empty stick");
}

// A power cut may leave a file of length 0 where a folder was made; it holds nothing.
Result<void> make_folder(env::Disk& disk, std::string_view path) {
    Result<void> made = disk.make_directory(path);
    if (made.has_value() || made.error().code != ErrorCode::kExists) return made;
    SATCHEL_TRY(const env::EntryInfo info, disk.stat(path));
    if (info.kind != env::EntryKind::kFile || info.size != 0) return made;
    SATCHEL_TRY_VOID(disk.remove_file(path));
    return disk.make_directory(path);
}

Result<void> write_readme(env::Disk& disk) {
    const std::string path = env::join(kRoot, "README.TXT");
    const Result<env::EntryInfo> info = disk.stat(path);
    if (info.has_value() && info->size > 0) return {};
    if (!info.has_value() && info.error().code != ErrorCode::kNotFound) return info.error();
    SATCHEL_TRY(const std::unique_ptr<env::File> file, disk.open(path, env::OpenMode::kWrite));
    SATCHEL_TRY_VOID(file->write_at(0, bytes_of(kReadme)));
    return file->sync();
}

}  // namespace

std::string site_folder(const SiteId& site) {
    return env::join(kRoot, upper(to_hex(site.view().first(kNameDigits / 2))));
}

std::string volume_path(std::string_view folder, std::uint32_t number) {
    return env::join(folder, eight_digits(number) + std::string(kVolumeSuffix));
}

Result<std::vector<std::string>> list_site_folders(env::Disk& disk) {
    const Result<std::vector<env::EntryInfo>> entries = disk.list(kRoot);
    if (!entries.has_value() && entries.error().code == ErrorCode::kNotFound)
        return fail(ErrorCode::kNotFound, disk.describe(kRoot), "there is no SATCHEL folder on this stick",
                    "give the folder where the stick is mounted; `satchel stick write` makes a new one");
    SATCHEL_TRY_VOID(entries);
    std::vector<std::string> folders;
    for (const env::EntryInfo& entry : *entries) {
        if (entry.kind != env::EntryKind::kDirectory || !number_of(entry.name)) continue;
        std::string folder = env::join(kRoot, upper(entry.name));
        if (folder != env::join(kRoot, entry.name) && !disk.stat(folder).has_value()) continue;
        if (folders.size() == kSiteFoldersMax) return too_many(disk.describe(kRoot));
        folders.push_back(std::move(folder));
    }
    std::sort(folders.begin(), folders.end());
    folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
    return folders;
}

Result<std::vector<std::uint32_t>> list_volumes(env::Disk& disk, std::string_view folder) {
    SATCHEL_TRY(const std::vector<env::EntryInfo> entries, disk.list(folder));
    std::vector<std::uint32_t> numbers;
    for (const env::EntryInfo& entry : entries) {
        const std::string name = upper(entry.name);
        if (entry.kind != env::EntryKind::kFile || name.size() != kNameDigits + kVolumeSuffix.size() ||
            std::string_view(name).substr(kNameDigits) != kVolumeSuffix)
            continue;
        const std::optional<std::uint32_t> number = number_of(std::string_view(name).substr(0, kNameDigits));
        if (!number) continue;
        if (numbers.size() == kVolumesMax) return too_many(disk.describe(folder));
        numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return numbers;
}

Result<void> prepare_stick(env::Disk& disk, const SiteId& site) {
    SATCHEL_TRY_VOID(make_folder(disk, kRoot));
    SATCHEL_TRY_VOID(make_folder(disk, site_folder(site)));
    SATCHEL_TRY_VOID(write_readme(disk));
    SATCHEL_TRY_VOID(disk.sync_directory(""));
    return disk.sync_directory(kRoot);
}

}  // namespace satchel::stick
