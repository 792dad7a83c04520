import Control
import SystemPackage
import Testing

@Suite("Mounts of a process")
struct MountTableTests {
    private static let table = MountTable(
        """
        21 1 254:0 / / ro,relatime shared:1 - ext4 /dev/vda rw
        22 21 254:0 /spool /var/spool/datarowd rw,relatime - ext4 /dev/vda rw
        23 21 254:0 /x /srv/with\\040space rw - ext4 /dev/vda rw
        24 21 0:5 / /srv/ro rw - tmpfs tmpfs ro
        25 24 0:6 / /srv/ro ro - tmpfs tmpfs rw
        damaged
        """)

    @Test(
        "the innermost mount decides, and of two at one place the later",
        arguments: [
            ("/etc", true), ("/var/spool/datarowd", false), ("/var/spool/datarowd/inbox", false),
            ("/var/spool/datarowd2", true), ("/srv/with space/a", false), ("/srv/ro/a", true),
        ])
    func deepest(path: String, isReadOnly: Bool) {
        #expect(Self.table.isReadOnly(FilePath(path)) == isReadOnly)
    }
}
