import os
import tempfile
import unittest
from unittest import mock

from figures import install


class LeavesNothingBehind(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.policy = os.path.join(folder.name, "policy-rc.d")
        self.clusters = os.path.join(folder.name, "createcluster.conf")
        with open(self.clusters, "w") as file:
            file.write("#create_main_cluster = true\nssl = on")
        for name, path in (("POLICY", self.policy), ("CLUSTERS", self.clusters)):
            patch = mock.patch.object(install, name, path)
            patch.start()
            self.addCleanup(patch.stop)

    def read(self, path):
        with open(path) as file:
            return file.read()

    def test_package_scripts_are_told_to_start_nothing_only_meanwhile(self):
        with install.no_starts():
            self.assertEqual(os.system(self.policy) >> 8, 101)
        self.assertFalse(os.path.exists(self.policy))

    def test_it_is_put_back_when_the_installation_fails(self):
        with self.assertRaises(OSError):
            with install.no_starts(), install.no_cluster():
                self.assertIn("\ncreate_main_cluster = false\n", self.read(self.clusters))
                raise OSError
        self.assertFalse(os.path.exists(self.policy))
        self.assertEqual(self.read(self.clusters), "#create_main_cluster = true\nssl = on")

    def test_somebodys_own_policy_stays_as_it_is(self):
        with open(self.policy, "w") as file:
            file.write("own")
        with install.no_starts():
            self.assertEqual(self.read(self.policy), "own")
        self.assertEqual(self.read(self.policy), "own")

    def test_what_is_there_is_not_installed_again(self):
        with mock.patch.object(install, "installed", return_value=True), \
                mock.patch.object(install.subprocess, "run") as run:
            install.install()
        run.assert_not_called()

    def test_postgresql_gets_no_cluster_of_the_system(self):
        seen = []

        def run(args, **_):
            if args[:2] == ["apt-get", "install"]:
                seen.append((args[-1], "create_main_cluster = false" in self.read(self.clusters)))

        with mock.patch.object(install, "installed", return_value=False), \
                mock.patch.object(install.subprocess, "run", run), \
                mock.patch.object(install.os, "geteuid", return_value=0), \
                mock.patch.object(install.shutil, "which", return_value="/usr/bin/program"):
            install.install()
        self.assertEqual(seen, [("postgresql-common", False), ("postgresql", True)])


if __name__ == "__main__":
    unittest.main()
