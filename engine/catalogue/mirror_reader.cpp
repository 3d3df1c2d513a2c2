#include "engine/catalogue/mirror_reader.hpp"

#include <algorithm>
#include <string>

#include "engine/catalogue/deflate.hpp"
#include "engine/catalogue/signers.hpp"

namespace satchel::catalogue {

namespace {

using Each = std::function<Result<void>(GitType, ByteView data)>;

constexpr std::size_t kBranchFileMax = 64;
constexpr std::size_t kLooseHeaderMax = 32;  // "commit 1048568" and a zero byte
constexpr std::size_t kPackHeaderSize = 12;
constexpr std::size_t kEntryHeaderMax = 10;

// What deflate adds to bytes that it cannot shorten: five a block of at least 4 KiB, and the stream's own.
constexpr std::size_t deflated_max(std::size_t plain) { return plain + plain / 512 + 64; }

// "commit 123", a zero byte, the object.
std::optional<std::pair<GitType, ByteView>> split_loose(ByteView plain) {
    const auto zero = std::find(
        plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(std::min(plain.size(), kLooseHeaderMax)),
        std::uint8_t{0});
    if (zero == plain.end() || *zero != 0) return std::nullopt;
    const auto header_size = static_cast<std::size_t>(zero - plain.begin());
    const std::string_view header = text_of(plain.first(header_size));
    const ByteView data = plain.subspan(header_size + 1);
    for (const auto& [name, type] : {std::pair("commit ", GitType::kCommit),
                                     std::pair("tree ", GitType::kTree), std::pair("blob ", GitType::kBlob)})
        if (header == name + std::to_string(data.size())) return std::pair(type, data);
    return std::nullopt;
}

Result<void> read_loose(env::Disk& disk, const std::string& path, const Each& each) {
    const Result<ByteBuffer> file =
        env::read_file(disk, path, deflated_max(kObjectBytesMax + kLooseHeaderMax));
    if (!file.has_value()) return {};
    const std::optional<Inflated> inflated = inflate(*file, kObjectBytesMax + kLooseHeaderMax);
    if (!inflated) return {};
    const auto parts = split_loose(inflated->plain);
    return parts ? each(parts->first, parts->second) : Result<void>();
}

struct EntryHeader {
    unsigned type = 0;
    std::uint64_t size = 0;
    std::size_t length = 0;
};

std::optional<EntryHeader> entry_header_at(ByteView bytes) {
    EntryHeader header;
    for (unsigned shift = 0; header.length < std::min(bytes.size(), kEntryHeaderMax);) {
        const std::uint8_t byte = bytes[header.length++];
        const bool is_first = header.length == 1;
        if (is_first) header.type = byte >> 4 & 7u;
        header.size |= std::uint64_t{byte & (is_first ? 15u : 0x7fu)} << shift;
        shift += is_first ? 4 : 7;
        if ((byte & 0x80u) == 0) return header;
    }
    return std::nullopt;
}

// Entry behind entry; without the index, the first that is not whole ends the reading.
Result<void> read_pack(env::Disk& disk, const std::string& path, const Each& each) {
    SATCHEL_TRY(const std::unique_ptr<env::File> file, disk.open(path, env::OpenMode::kRead));
    ByteBuffer bytes;
    for (std::uint64_t at = kPackHeaderSize;;) {
        bytes.resize(kEntryHeaderMax);
        SATCHEL_TRY(const std::size_t got, file->read_at(at, bytes));
        const std::optional<EntryHeader> header = entry_header_at(ByteView(bytes).first(got));
        const std::optional<GitType> type = header ? git_type_of(header->type) : std::nullopt;
        if (!type || header->size > kObjectBytesMax) return {};
        bytes.resize(deflated_max(static_cast<std::size_t>(header->size)));
        SATCHEL_TRY(const std::size_t stream, file->read_at(at + header->length, bytes));
        const std::optional<Inflated> inflated =
            inflate(ByteView(bytes).first(stream), static_cast<std::size_t>(header->size) + 1);
        if (!inflated || inflated->plain.size() != header->size) return {};
        SATCHEL_TRY_VOID(each(*type, inflated->plain));
        at += header->length + inflated->taken;
    }
}

}  // namespace

Result<std::optional<GitId>> mirrored_head(env::Disk& disk, std::string_view directory,
                                           std::string_view lane) {
    const std::string path = env::join(directory, "refs/heads/" + lane_file_name(lane));
    SATCHEL_TRY(const bool there, env::exists(disk, path));
    if (!there) return std::optional<GitId>();
    SATCHEL_TRY(const ByteBuffer file, env::read_file(disk, path, kBranchFileMax));
    std::string_view text = text_of(file);
    while (text.ends_with('\n')) text.remove_suffix(1);
    return git_id_from_hex(text);
}

Result<void> for_each_mirrored_object(env::Disk& disk, std::string_view directory, const Each& each) {
    const std::string objects = env::join(directory, "objects");
    SATCHEL_TRY(const std::vector<env::EntryInfo> folders, disk.list(objects));
    for (const env::EntryInfo& folder : folders) {
        if (folder.kind != env::EntryKind::kDirectory) continue;
        const std::string path = env::join(objects, folder.name);
        SATCHEL_TRY(const std::vector<env::EntryInfo> files, disk.list(path));
        for (const env::EntryInfo& file : files) {
            if (file.kind != env::EntryKind::kFile) continue;
            if (folder.name != "pack")
                SATCHEL_TRY_VOID(read_loose(disk, env::join(path, file.name), each));
            else if (file.name.ends_with(".pack"))
                SATCHEL_TRY_VOID(read_pack(disk, env::join(path, file.name), each));
        }
    }
    return {};
}

}  // namespace satchel::catalogue
