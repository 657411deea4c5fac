/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-tls.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#define OUR_NAMES "subjectAltName=DNS:localhost,IP:127.0.0.1"
#define NEW_KEY "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "

/* Runs openssl in @directory; the arguments hold no space but between them. */
static void
run_openssl (const char *directory,
             const char *format,
             ...) G_GNUC_PRINTF (2, 3);

static void
run_openssl (const char *directory,
             const char *format,
             ...)
{
  g_autoptr(GSubprocessLauncher) launcher = NULL;
  g_autoptr(GSubprocess) process = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *arguments = NULL;
  g_autofree char *line = NULL;
  g_autofree char *output = NULL;
  g_auto(GStrv) argv = NULL;
  va_list args;

  va_start (args, format);
  arguments = g_strdup_vprintf (format, args);
  va_end (args);

  line = g_strconcat ("openssl ", arguments, NULL);
  argv = g_strsplit (line, " ", -1);
  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                        G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_subprocess_launcher_set_cwd (launcher, directory);
  process = g_subprocess_launcher_spawnv (launcher, (const char * const *)argv, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  if (!g_subprocess_get_successful (process))
    g_error ("%s: %s", line, output);
}

static GTlsCertificate *
load (BoshTestTls *self,
      const char  *name)
{
  g_autoptr(GTlsCertificate) certificate = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *pem = g_strdup_printf ("%s/%s.pem", self->directory, name);
  g_autofree char *key = g_strdup_printf ("%s/%s.key", self->directory, name);

  certificate = g_tls_certificate_new_from_files (pem, key, &error);
  g_assert_no_error (error);

  return g_steal_pointer (&certificate);
}

static void
request (BoshTestTls *self,
         const char  *name,
         const char  *common_name,
         const char  *extension)
{
  run_openssl (self->directory,
               "req -new " NEW_KEY "-subj /CN=%s -addext %s -keyout %s.key -out %s.csr",
               common_name, extension, name, name);
}

static GTlsCertificate *
sign (BoshTestTls *self,
      const char  *name,
      const char  *common_name,
      const char  *extension)
{
  request (self, name, common_name, extension);
  run_openssl (self->directory,
               "x509 -req -in %s.csr -CA authority.pem -CAkey authority.key "
               "-CAcreateserial -copy_extensions copy -days 2 -out %s.pem",
               name, name);

  return load (self, name);
}

static void
write_file (BoshTestTls *self,
            const char  *name,
            const char  *contents)
{
  g_autofree char *path = g_build_filename (self->directory, name, NULL);
  g_autoptr(GError) error = NULL;

  g_file_set_contents (path, contents, -1, &error);
  g_assert_no_error (error);
}

/* Of the commands that every OpenSSL 3 has, only `ca` takes dates, and it wants files. */
static GTlsCertificate *
sign_expired (BoshTestTls *self)
{
  write_file (self, "index", "");
  write_file (self, "ca.cnf",
              "[ca]\n"
              "default_ca = authority\n"
              "[authority]\n"
              "database = index\n"
              "rand_serial = yes\n"
              "new_certs_dir = .\n"
              "default_md = sha256\n"
              "copy_extensions = copy\n"
              "policy = names\n"
              "[names]\n"
              "commonName = supplied\n");
  request (self, "expired", "localhost", OUR_NAMES);
  run_openssl (self->directory,
               "ca -batch -config ca.cnf -cert authority.pem -keyfile authority.key "
               "-notext -startdate 20200101000000Z -enddate 20200131000000Z "
               "-in expired.csr -out expired.pem");

  return load (self, "expired");
}

BoshTestTls *
bosh_test_tls_new (void)
{
  BoshTestTls *self = g_new0 (BoshTestTls, 1);
  g_autoptr(GError) error = NULL;

  self->directory = g_dir_make_tmp ("bosh-test-XXXXXX", &error);
  g_assert_no_error (error);

  run_openssl (self->directory,
               "req -x509 " NEW_KEY "-days 2 -subj /CN=Authority "
               "-addext basicConstraints=critical,CA:TRUE "
               "-keyout authority.key -out authority.pem");
  self->authority_path = g_build_filename (self->directory, "authority.pem", NULL);
  self->database = g_tls_file_database_new (self->authority_path, &error);
  g_assert_no_error (error);

  self->server = sign (self, "server", "localhost", OUR_NAMES);
  self->server_path = g_build_filename (self->directory, "server.pem", NULL);
  self->other_server = sign (self, "other-server", "localhost", OUR_NAMES);
  self->other_host = sign (self, "other-host", "other.example",
                           "subjectAltName=DNS:other.example");
  self->expired = sign_expired (self);
  self->client = sign (self, "client", "romeo", "extendedKeyUsage=clientAuth");

  run_openssl (self->directory,
               "req -x509 " NEW_KEY "-days 2 -subj /CN=localhost -addext " OUR_NAMES " "
               "-keyout untrusted.key -out untrusted.pem");
  self->untrusted = load (self, "untrusted");

  return self;
}

/* Removes a directory with what is in it, one level of directories deep. */
static void
remove_directory (const char *path)
{
  g_autoptr(GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR))
        remove_directory (child);
      else
        g_unlink (child);
    }

  g_rmdir (path);
}

void
bosh_test_tls_free (BoshTestTls *self)
{
  remove_directory (self->directory);
  g_free (self->directory);
  g_free (self->authority_path);
  g_free (self->server_path);
  g_clear_object (&self->database);
  g_clear_object (&self->server);
  g_clear_object (&self->other_server);
  g_clear_object (&self->other_host);
  g_clear_object (&self->expired);
  g_clear_object (&self->untrusted);
  g_clear_object (&self->client);
  g_free (self);
}

struct _BoshTestNginx
{
  char *directory;
  GSubprocess *process;
  guint port;
};

/* A socket that listens already, so that nobody can take its port and nobody
 * has to wait for nginx to be ready. */
static GSocket *
listen_somewhere (guint *port)
{
  g_autoptr(GSocket) socket = NULL;
  g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr(GSocketAddress) effective = NULL;
  g_autoptr(GError) error = NULL;

  socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_no_error (error);
  g_socket_bind (socket, address, TRUE, &error);
  g_assert_no_error (error);
  g_socket_listen (socket, &error);
  g_assert_no_error (error);
  effective = g_socket_get_local_address (socket, &error);
  g_assert_no_error (error);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));

  return g_steal_pointer (&socket);
}

static char *
write_configuration (BoshTestNginx *self,
                     BoshTestTls   *tls,
                     const char    *location)
{
  g_autofree char *path = g_build_filename (self->directory, "nginx.conf", NULL);
  g_autofree char *text = NULL;
  g_autoptr(GError) error = NULL;

  text = g_strdup_printf ("daemon off;\n"
                          "worker_processes 1;\n"
                          "pid %1$s/pid;\n"
                          "error_log %1$s/error.log;\n"
                          "events {}\n"
                          "http {\n"
                          "  access_log off;\n"
                          "  client_body_temp_path %1$s/body;\n"
                          "  proxy_temp_path %1$s/proxy;\n"
                          "  fastcgi_temp_path %1$s/fastcgi;\n"
                          "  uwsgi_temp_path %1$s/uwsgi;\n"
                          "  scgi_temp_path %1$s/scgi;\n"
                          "  server {\n"
                          "    listen 127.0.0.1:%2$u ssl http2;\n"
                          "    ssl_certificate %3$s/server.pem;\n"
                          "    ssl_certificate_key %3$s/server.key;\n"
                          "    ssl_client_certificate %4$s;\n"
                          "    ssl_verify_client optional;\n"
                          "    location / {\n%5$s\n    }\n"
                          "  }\n"
                          "}\n",
                          self->directory, self->port, tls->directory,
                          tls->authority_path, location);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);

  return g_steal_pointer (&path);
}

/* In the child: a test that aborts leaves nothing behind. */
static void
die_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

BoshTestNginx *
bosh_test_nginx_new (BoshTestTls *tls,
                     const char  *location)
{
  g_autoptr(GSubprocessLauncher) launcher = NULL;
  g_autoptr(GSocket) socket = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *program = NULL;
  g_autofree char *configuration = NULL;
  BoshTestNginx *self;

  program = g_find_program_in_path ("nginx");
  if (program == NULL && g_file_test ("/usr/sbin/nginx", G_FILE_TEST_IS_EXECUTABLE))
    program = g_strdup ("/usr/sbin/nginx");
  if (program == NULL)
    {
      if (g_strcmp0 (g_getenv ("CI"), "true") == 0)
        g_test_fail_printf ("nginx is not installed");
      else
        g_test_skip ("nginx is not installed");
      return NULL;
    }

  self = g_new0 (BoshTestNginx, 1);
  self->directory = g_dir_make_tmp ("bosh-nginx-XXXXXX", &error);
  g_assert_no_error (error);
  socket = listen_somewhere (&self->port);
  configuration = write_configuration (self, tls, location);

  /* The way in which nginx hands sockets to its next generation. */
  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_take_fd (launcher, dup (g_socket_get_fd (socket)), 3);
  g_subprocess_launcher_setenv (launcher, "NGINX", "3;", TRUE);
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  self->process = g_subprocess_launcher_spawn (launcher, &error,
                                               program, "-p", self->directory,
                                               "-c", configuration, NULL);
  g_assert_no_error (error);

  return self;
}

void
bosh_test_nginx_free (BoshTestNginx *self)
{
  g_autoptr(GError) error = NULL;

  /* The first process ends the second, and waits for it. */
  g_subprocess_send_signal (self->process, SIGTERM);
  g_subprocess_wait (self->process, NULL, &error);
  g_assert_no_error (error);
  remove_directory (self->directory);
  g_object_unref (self->process);
  g_free (self->directory);
  g_free (self);
}

guint
bosh_test_nginx_get_port (BoshTestNginx *self)
{
  return self->port;
}
