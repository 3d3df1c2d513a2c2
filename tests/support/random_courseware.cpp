#include "tests/support/random_courseware.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"
#include "engine/base/hash.hpp"

namespace satchel::support {

namespace {

constexpr int kDepthMax = 30;
constexpr std::int64_t kFirstTimeS = 0;
constexpr std::int64_t kLastTimeS = 4'000'000'000;

std::string pick(const std::vector<std::string>& items) { return *rc::gen::elementOf(items); }

const std::vector<std::string>& names() {
    static const std::vector<std::string> kNames = {"a",
                                                    "A",
                                                    "film.mp4",
                                                    "Film.mp4",
                                                    "notes.txt",
                                                    "NOTES.TXT",
                                                    "第一课",
                                                    "第二课 播种.txt",
                                                    "水稻病虫害防治（下）.html",
                                                    "caf\xC3\xA9.txt",
                                                    "cafe\xCC\x81.txt",
                                                    "a name with spaces.txt",
                                                    " leading",
                                                    "back\\slash",
                                                    "quote\".txt",
                                                    "%41",
                                                    "course.txt",
                                                    std::string(200, 'x'),
                                                    ".hidden",
                                                    "a.satchel"};
    return kNames;
}

// A path is free when it is no file, no folder of a file, and has no file as a folder.
bool is_free(const Files& files, const std::string& path) {
    for (const auto& [other, content] : files)
        if (other == path || other.starts_with(path + "/") || path.starts_with(other + "/")) return false;
    return true;
}

std::string random_path() {
    std::string path = pick({"rice", "trees", "健康"});
    const int depth = *rc::gen::inRange(0, 10) == 0 ? kDepthMax : *rc::gen::inRange(0, 3);
    for (int level = 0; level < depth; ++level) path += "/" + (depth == kDepthMax ? "d" : *gen_name());
    return path + "/" + *gen_name();
}

void edit_one(Files& files) {
    auto file = files.begin();
    std::advance(file, *rc::gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(files.size())));
    switch (*rc::gen::inRange(0, 5)) {
        case 0: {  // overwrite a stretch
            const std::string stretch = *gen_content();
            const std::size_t at = *rc::gen::inRange<std::size_t>(0, file->second.size() + 1);
            file->second.replace(at, stretch.size(), stretch);
            return;
        }
        case 1:  // insert
            file->second.insert(*rc::gen::inRange<std::size_t>(0, file->second.size() + 1),
                                "one line more\n");
            return;
        case 2:  // remove
            if (files.size() > 1) files.erase(file);
            return;
        case 3: {  // rename
            const std::string path = random_path();
            if (!is_free(files, path)) return;
            files[path] = file->second;
            files.erase(file);
            return;
        }
        default: {  // add
            const std::string path = random_path();
            if (is_free(files, path)) files[path] = *gen_content();
        }
    }
}

env::Attributes random_attributes(std::uint32_t owner_bits) {
    const auto mode = static_cast<std::uint32_t>(*rc::gen::inRange(0, 0100));
    return {owner_bits | mode,
            *rc::gen::inRange<std::int64_t>(kFirstTimeS, kLastTimeS) * 1'000'000'000 + 123'456'789};
}

template <typename Each>
void walk(env::Disk& disk, const std::string& folder, const Each& each) {
    for (const env::EntryInfo& entry : must(disk.list(folder))) {
        const std::string path = env::join(folder, entry.name);
        if (entry.kind == env::EntryKind::kDirectory) walk(disk, path, each);
        each(path, entry);
    }
}

}  // namespace

rc::Gen<std::string> gen_name() { return rc::gen::elementOf(names()); }

rc::Gen<std::string> gen_content() {
    return rc::gen::exec([]() -> std::string {
        const auto size = *rc::gen::inRange<std::size_t>(1, 9'000);
        const auto seed = *rc::gen::inRange<std::uint64_t>(1, 40);  // few, so that files share contents
        switch (*rc::gen::inRange(0, 4)) {
            case 0:
                return "";
            case 1:
                return "lines of text " + std::to_string(seed) + "\n";
            case 2:
                return noise(size, seed);
            default:
                return noise(700, seed) + noise(700, seed) + std::string(size, 'r');
        }
    });
}

rc::Gen<Files> gen_courseware() {
    return rc::gen::exec([] {
        Files files;
        const int count = *rc::gen::inRange(1, 14);
        for (int i = 0; i < count; ++i) {
            const std::string path = random_path();
            if (is_free(files, path)) files[path] = *gen_content();
        }
        return files;
    });
}

Files edit_at_random(const Files& files) {
    Files edited = files;
    for (int left = *rc::gen::inRange(1, 5); left > 0; --left) edit_one(edited);
    return edited;
}

std::vector<std::string> listing_of(env::Disk& disk, const std::string& folder) {
    std::vector<std::string> lines;
    walk(disk, folder, [&](const std::string& path, const env::EntryInfo& entry) {
        std::string line = path.substr(folder.size()) + " " + std::to_string(entry.mode) + " " +
                           std::to_string(entry.mtime_ns);
        if (entry.kind == env::EntryKind::kFile)
            line += " " + to_hex(hash_of(must(env::read_file(disk, path, 64 * 1024 * 1024))));
        lines.push_back(line);
    });
    std::sort(lines.begin(), lines.end());
    return lines;
}

void set_attributes_at_random(env::Disk& disk, const std::string& folder) {
    walk(disk, folder, [&](const std::string& path, const env::EntryInfo& entry) {
        if (entry.kind == env::EntryKind::kDirectory) {
            must(disk.set_directory_attributes(path, random_attributes(0700)));
            return;
        }
        const auto file = must(disk.open(path, env::OpenMode::kWrite));
        const env::Attributes wanted = random_attributes(*rc::gen::arbitrary<bool>() ? 0600 : 0400);
        must(file->set_mode(wanted.mode));
        must(file->set_mtime(wanted.mtime_ns));
    });
}

}  // namespace satchel::support
