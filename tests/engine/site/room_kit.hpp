// A hub and a village whose store may take only so much.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/exchange/admission.hpp"
#include "tests/support/contact.hpp"
#include "tests/support/county.hpp"

namespace satchel::support {

constexpr std::uint64_t kMiB = 1024 * 1024;

class Room : public testing::Test {
  protected:
    void SetUp() override {
        hub_ = found_hub(hub_disk_, world_.world());
        village_ = join_village(*hub_, village_disk_, world_.world(), "east");
    }

    // A course of one film that shares nothing with any other.
    void publish_course(const std::string& course, std::size_t bytes, std::uint64_t seed) {
        simulations::SimDisk folder;
        write_files(folder,
                    {{course + "/course.json", R"({"id": ")" + course + R"(", "title": {"en": "x"}})"},
                     {course + "/film.bin", noise(bytes, seed)}});
        publish(*hub_, folder);
    }

    void carry() {
        simulations::SimDisk stick;
        write_stick(*hub_, stick);
        read_stick(*village_, stick);
    }

    // Its catalogue is whole, and of large volumes the second half is gone.
    static void leave_half_of(simulations::SimDisk& stick) {
        for (const auto& [path, content] : files_in(stick, "")) {
            if (content.size() < kMiB) continue;
            const auto volume = must(stick.open(path, env::OpenMode::kWrite));
            must(volume->truncate(content.size() / 2));
            must(volume->sync());
        }
    }

    void let_store_take(std::uint64_t bytes) {
        site::StoreLimits limits = must(village_->limits());
        limits.store_max = bytes;
        must(village_->set_limits(limits));
    }

    static exchange::FindSource from(exchange::Source source) {
        return [source](const ChunkId&) -> Result<exchange::Source> { return source; };
    }

    // The record of an object is not what it was any more, and nothing says so.
    void rot(std::unique_ptr<site::Site>& site, simulations::SimDisk& disk, const ChunkId& id) {
        const ByteBuffer record = must(site->store().read_record(id));
        must(site->store().commit());
        for (const env::EntryInfo& pack : must(disk.list("packs"))) {
            const std::string path = "packs/" + pack.name;
            const ByteBuffer bytes = must(env::read_file(disk, path, 256 * kMiB));
            const auto at = std::search(bytes.begin(), bytes.end(), record.begin(), record.end());
            if (at == bytes.end()) continue;
            const auto last = static_cast<std::uint64_t>(at - bytes.begin()) + record.size() - 1;
            disk.flip_bit(path, last, 3);
            EXPECT_EQ(site->store().read(id).error().code, ErrorCode::kDamaged);
            return;
        }
        FAIL() << "no such record";
    }
    ChunkId manifest_of(site::Site& site, const std::string& course) {
        return must(site.catalogue().current_edition(course))->edition.manifest;
    }

    std::string film() {
        std::string bytes;
        must(village_->read_file("film", "film.bin", 0, 64 * kMiB, [&](ByteView piece) -> Result<void> {
            bytes.append(piece.begin(), piece.end());
            return {};
        }));
        return bytes;
    }
    site::WhyState why(const std::string& course) { return must(village_->why(course)).state; }
    std::uint64_t pack_bytes(site::Site& site) { return must(site.store().stats()).pack_bytes; }
    site::CollectReport collect(site::Site& site, bool only_look = false) {
        NoProgress silent;
        return must(site.collect(silent, only_look));
    }

    FixedWorld world_{1};
    simulations::SimDisk hub_disk_, village_disk_;
    std::unique_ptr<site::Site> hub_, village_;
};

}  // namespace satchel::support
