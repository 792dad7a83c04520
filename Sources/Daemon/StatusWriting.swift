internal import Files
internal import Foundation
internal import Reporting
internal import SystemPackage

/// Status files reach the disk by rename, and without a sync: they are derived from the ledger, and can be made again.
struct StatusWriting: FileWriting {
    func replace(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError) {
        do throws(FileError) {
            do throws(FileError) {
                try AtomicFile.write(bytes, to: path, durable: false)
            } catch {
                guard error.errno == .noSuchFileOrDirectory else { throw error }
                try DurableRename.createFolder(path.removingLastComponent())
                try AtomicFile.write(bytes, to: path, durable: false)
            }
        } catch {
            throw StatusFileError(error.operation, error.path, error.errno)
        }
    }

    func remove(_ path: FilePath) throws(StatusFileError) {
        do throws(FileError) {
            try DurableRename.remove(path, folders: FolderSync())
        } catch {
            guard error.errno != .noSuchFileOrDirectory else { return }
            throw StatusFileError(error.operation, error.path, error.errno)
        }
    }

    func read(_ path: FilePath, limit: Int) throws(StatusFileError) -> [UInt8]? {
        guard let size = (try? FileManager.default.attributesOfItem(atPath: path.string))?[.size] as? Int,
            size <= limit,
            let data = FileManager.default.contents(atPath: path.string)
        else { return nil }
        return [UInt8](data)
    }
}
