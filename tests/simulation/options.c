/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "simulation.h"

/* Seconds: a path with less is not told from one that breaks. */
#define SHORTEST_PATIENCE 12

static guint
draw (Simulation *self,
      int         from,
      int         to)
{
  return g_rand_int_range (self->random, from, to);
}

/* A polling session is asked for by wait and hold of 0, or imposed by one
 * request (§12). */
static void
choose_polling (Simulation *self)
{
  ModelOptions *options = &self->options;

  options->polls = TRUE;
  options->polices_all = chance (self, 50);
  options->polling = options->polices_all ? 2 : draw (self, 1, 4);
  options->names_polling = TRUE;
  if (options->polices_all)
    coverage_hit (COVERAGE_POLICED_POLLING);

  if (chance (self, 50))
    {
      coverage_hit (COVERAGE_POLLING_ASKED);
      self->parameters.wait = options->wait = 0;
      self->parameters.hold = options->hold = 0;
      options->requests = draw (self, 1, 3);
    }
  else
    {
      coverage_hit (COVERAGE_POLLING_IMPOSED);
      options->hold = draw (self, 0, 2);
      options->requests = 1;
    }
}

static void
choose_grants (Simulation *self)
{
  ModelOptions *options = &self->options;

  options->wait = draw (self, 5, 30);
  options->hold = chance (self, 10) ? 2 : 1;
  self->parameters.hold = options->hold;
  options->requests = options->hold + draw (self, 1, 3);
  options->polling = draw (self, 0, 6);
  options->names_polling = options->polling > 0 && !chance (self, 10);
  options->names_wait = !chance (self, 10);
  options->names_hold = !chance (self, 10);
  options->names_requests = TRUE;
  options->names_version = !chance (self, 10);
  options->max_pause = chance (self, 50) ? 200 : 0;
  if (!options->names_wait)
    self->parameters.wait = options->wait;

  if (chance (self, 10))
    {
      choose_polling (self);
    }
  else if (chance (self, 10))
    {
      options->names_requests = FALSE;
      options->requests = options->hold + 1;
    }

  /* Longer than all that the client can't know of: a black hole looks like a
   * held request until the wait is over. */
  options->inactivity = self->fault_percent > 0 ? draw (self, 180, 300) : draw (self, 30, 60);
  if (chance (self, 5))
    options->inactivity = 0;
}

/* What becomes of requests that overtake each other, and how the server shows it. */
static void
choose_order (Simulation *self)
{
  ModelOptions *options = &self->options;

  if (options->requests == 2 && !options->never_holds && chance (self, 20))
    {
      options->hangs_when_overtaken = TRUE;
    }
  else if (!options->polls && chance (self, 20))
    {
      options->drops_overtaken = TRUE;
    }
  else if (chance (self, 50))
    {
      options->is_prosody = TRUE;
      options->names_version = TRUE;
      options->max_pause = 0;
    }
}

/* What is between client and server, for as long as the run takes. */
static void
choose_path (Simulation *self)
{
  /* A request that is held only because it was overtaken keeps back the responses to later
   * ones, and if it is cut, too, the session is lost; as it is where only one request is
   * allowed, and that is held. */
  if (chance (self, 10) && self->options.wait > SHORTEST_PATIENCE + 1 && !self->options.polls &&
      (!self->options.drops_overtaken || self->fault_percent == 0))
    self->path_patience = draw (self, SHORTEST_PATIENCE, self->options.wait);
  if (chance (self, 10))
    {
      self->size_limit = draw (self, 20000, 60000);
      self->parameters.max_request_size = 128 * 1024;
    }
}

/* What real servers do otherwise. */
static void
choose_faults_of_server (Simulation *self)
{
  ModelOptions *options = &self->options;

  options->responds_on_newest = chance (self, 50);
  options->never_holds = self->fault_percent == 0 && !options->polls && chance (self, 15);
  choose_order (self);
  options->ignores_pause_request = chance (self, 30);
  options->repeat = draw (self, 0, N_MODEL_REPEATS);
  /* These two lose stanzas where they do not notice. */
  options->notices_closing = options->repeat == MODEL_REPEAT_IGNORED ||
                             options->repeat == MODEL_REPEAT_EMPTIES_NEW || chance (self, 50);
  options->forgets_closed = options->notices_closing && options->is_prosody &&
                            options->requests <= 2 && chance (self, 50);
  options->echoes = chance (self, 30);
  options->two_responses = options->requests <= 2 && chance (self, 30);
  options->one_early = options->requests <= 2 && chance (self, 30);
  options->error_every = chance (self, 15) ? draw (self, 3, 20) : 0;
}

void
choose_options (Simulation *self)
{
  ModelOptions *options = &self->options;

  self->fault_percent = chance (self, 20) ? 0 : draw (self, 1, 25);
  choose_grants (self);
  choose_faults_of_server (self);
  choose_path (self);

  if (self->parameters.use_acknowledgements)
    {
      options->acknowledges = !options->is_prosody && !options->drops_overtaken && chance (self, 50);
      options->announces_acks = options->acknowledges && !chance (self, 20);
      options->odd_acks = options->acknowledges && chance (self, 30);
      if (options->acknowledges && !options->announces_acks)
        coverage_hit (COVERAGE_UNANNOUNCED_ACKS);
      options->trims_by_acks = chance (self, 30);
      options->reports = chance (self, 40);
      /* The attributes of an echo would be read as those of a response. */
      if (options->acknowledges)
        options->echoes = FALSE;
    }

  options->checks_keys = self->parameters.use_key_sequence && !options->drops_overtaken;
  options->checks_keys_first = options->checks_keys && chance (self, 20);

  if (chance (self, 40))
    self->catastrophe = draw (self, CATASTROPHE_NONE + 1, N_CATASTROPHES);
}

void
draw_entropy (Simulation *self)
{
  for (guint i = 0; i < BOSH_SESSION_ENTROPY; i++)
    self->parameters.entropy[i] = draw (self, 0, 256);
}

void
choose_parameters (Simulation *self)
{
  self->parameters = (BoshSessionParameters){
    .domain = "example.org",
    .language = "en",
    .wait = 60,
    .hold = 1,
    .use_acknowledgements = chance (self, 80),
    .use_key_sequence = chance (self, 40),
    /* The sequence is made in pieces of 128. */
    .key_sequence_length = chance (self, 20) ? draw (self, 126, 140) : draw (self, 2, 40),
    .max_request_size = 4096,
  };
  draw_entropy (self);
  self->parameters.pause_on_detach = self->parameters.entropy[0] % 4 == 0;
}
