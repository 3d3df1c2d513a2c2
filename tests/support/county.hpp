// A small county for tests: a hub, villages and sticks on any disks, with helpers that fail the test at once.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "engine/site/site.hpp"
#include "transport/stick/carry.hpp"

namespace satchel::support {

// The value of a result that must be there; the test ends with the error's words otherwise.
template <typename T>
T must(Result<T> result) {
    if (!result.has_value()) {
        const Error& error = result.error();
        throw std::runtime_error(error.about + ": " + error.reason.text() + " [" + error.detail + "]");
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Files by path; what a folder of courseware or a checkout holds.
using Files = std::map<std::string, std::string>;

inline void write_files(env::Disk& disk, const Files& files) {
    for (const auto& [path, content] : files) {
        const std::size_t slash = path.rfind('/');
        if (slash != std::string::npos) must(env::make_directories(disk, path.substr(0, slash)));
        auto file = must(disk.open(path, env::OpenMode::kWrite));
        must(file->truncate(0));
        must(file->write_at(0, bytes_of(content)));
        must(file->sync());
        if (slash != std::string::npos) must(disk.sync_directory(path.substr(0, slash)));
    }
    must(disk.sync_directory(""));
}

inline void read_files(env::Disk& disk, const std::string& folder, const std::string& prefix, Files& into) {
    for (const env::EntryInfo& entry : must(disk.list(folder))) {
        const std::string path = env::join(folder, entry.name);
        if (entry.kind == env::EntryKind::kDirectory) {
            read_files(disk, path, prefix + entry.name + "/", into);
        } else {
            const ByteBuffer content = must(env::read_file(disk, path, 64 * 1024 * 1024));
            into[prefix + entry.name] = std::string(text_of(content));
        }
    }
}

inline Files files_in(env::Disk& disk, const std::string& folder) {
    Files files;
    read_files(disk, folder, "", files);
    return files;
}

// Bytes that do not compress, the same for the same seed.
inline std::string noise(std::size_t size, std::uint64_t seed) {
    std::string bytes(size, '\0');
    std::uint64_t state = seed * 0x9E3779B97F4A7C15ull + 1;
    for (char& byte : bytes) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        byte = static_cast<char>(state >> 56);
    }
    return bytes;
}

inline std::unique_ptr<site::Site> found_hub(env::Disk& disk, env::World world, std::uint32_t reviews = 0) {
    return must(site::Site::create_network(disk, world,
                                           {.network = "Test county",
                                            .site_name = "hub",
                                            .utc_offset_minutes = 480,
                                            .reviews_needed = reviews}));
}

inline std::unique_ptr<site::Site> join_village(site::Site& hub, env::Disk& disk, env::World world,
                                                const std::string& name) {
    const std::string request = must(site::Site::request_to_join(disk, world, name));
    const std::string grant = must(hub.enrol(request, {}));
    return must(site::Site::join(disk, world, grant, std::nullopt));
}

inline site::PublishReport publish(site::Site& hub, env::Disk& folder, std::uint32_t reviews = 0) {
    NoProgress silent;
    site::PublishOptions options;
    options.reviews = reviews;
    return must(hub.publish(folder, "courseware", options, silent));
}

inline stick::WriteReport write_stick(site::Site& site, env::Disk& disk) {
    NoProgress silent;
    return must(stick::write_stick(site, disk, {}, silent));
}

inline stick::ReadReport read_stick(site::Site& site, env::Disk& disk) {
    NoProgress silent;
    return must(stick::read_stick(site, disk, silent));
}

inline Files checkout(site::Site& site, const std::string& course, env::Disk& target) {
    NoProgress silent;
    must(site.checkout(course, target, "out", silent));
    return files_in(target, "out");
}

}  // namespace satchel::support
