// A folder of this box as a Disk. Every path is resolved by the kernel beneath the root folder, without
// following any symbolic link (openat2); on kernels before 5.6 part by part with O_NOFOLLOW.
//
// Opening never blocks and never gives anything but a regular file: fifos and devices are refused.
// On file systems without permission bits (FAT, exFAT) set_mode does nothing; where they keep times
// for their owner only, set_mtime does nothing either.
#pragma once

#include "engine/env/disk.hpp"
#include "engine/env/os/beside.hpp"

namespace satchel::env::os {

// A folder with more entries would cost a small box its memory; courseware has thousands at most.
inline constexpr std::size_t kDirectoryEntriesMax = 1'000'000;

// Owns a file descriptor; closes it.
class Descriptor {
  public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();
    [[nodiscard]] int get() const { return number_; }
    [[nodiscard]] int release();

  private:
    int number_;
};

class PosixDisk : public Disk {
  public:
    enum class Resolver { kBest, kPartByPart };

    // The root must be an existing folder; it may itself be reached through links: a person named it.
    static Result<std::unique_ptr<PosixDisk>> open(std::string root_path,
                                                   Resolver resolver = Resolver::kBest);

    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override;
    Result<EntryInfo> stat(std::string_view path) override;
    Result<std::vector<EntryInfo>> list(std::string_view directory) override;
    Result<void> make_directory(std::string_view path) override;
    Result<void> remove_file(std::string_view path) override;
    Result<void> remove_directory(std::string_view path) override;
    Result<void> rename(std::string_view from, std::string_view to) override;
    Result<void> sync_directory(std::string_view path) override;
    Result<void> begin_sync_all() override;
    Result<void> end_sync_all() override;
    Result<void> set_directory_attributes(std::string_view path, Attributes attributes) override;
    Result<Space> space() override;
    [[nodiscard]] std::string describe(std::string_view path) const override;

  private:
    struct Place {
        Descriptor parent;
        std::string name;
    };
    PosixDisk(std::string root_path, Descriptor root, bool kernel_resolves);
    // These return a descriptor or, in `errno`'s numbers, why not.
    [[nodiscard]] tl::expected<Descriptor, int> resolve(std::string_view path, int flags,
                                                        unsigned mode) const;
    [[nodiscard]] tl::expected<Descriptor, int> resolve_by_parts(std::string_view path, int flags,
                                                                 unsigned mode) const;
    Result<Place> place_of(std::string_view path) const;
    Result<void> check_path(std::string_view path) const;

    std::string root_path_;
    Descriptor root_;
    Beside syncing_;  // ends before the root is closed
    bool kernel_resolves_;
};

}  // namespace satchel::env::os
