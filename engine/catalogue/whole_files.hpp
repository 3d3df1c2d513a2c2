// Files below one folder that appear whole or not at all, many at a time. Private to engine/catalogue.
//
// Each is written under one partial name at the top of the folder, synced, and renamed to its place; the
// folders are synced together by settle(). Unlike env::replace_file nothing unfinished ever lies beside the
// files, where git would take it for an object or a branch.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "engine/env/disk.hpp"

namespace satchel::catalogue {

class WholeFiles {
  public:
    WholeFiles(env::Disk& disk, std::string_view folder);  // disk: borrowed
    Result<void> begin();                                  // makes the folder, drops what a stop left
    Result<void> make_folder(std::string_view path);
    Result<void> put(std::string_view path, ByteView content);
    Result<void> put_if_other(std::string_view path,
                              ByteView content);  // reads first; writes only what differs
    // A file too large to hold: write to it, sync it, close it, then place it.
    Result<std::unique_ptr<env::File>> open_partial();
    Result<void> place_partial(std::string_view path);
    Result<void> settle();  // after it the names are sure
    [[nodiscard]] std::string path_of(std::string_view path) const;

  private:
    [[nodiscard]] std::string partial_path() const;
    void note_changed(std::string_view directory);
    env::Disk& disk_;
    std::string folder_;
    std::set<std::string> made_;     // folders that are there
    std::set<std::string> changed_;  // folders whose names are not sure yet
};

Result<void> remove_tree(env::Disk& disk, const std::string& path);  // done if there is nothing

}  // namespace satchel::catalogue
