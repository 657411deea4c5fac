/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* An attribute that a new element is made with. @ns is nullable; @value need not
 * end with a nul. */
typedef struct
{
  const char *name;
  const char *ns;
  const char *value;
  gsize       value_length;
} BoshAttributeSource;

/* Makes a mutable element with attributes, which are copied: they lie in the
 * same block as the element, so they cost no allocation of their own. @budget
 * (nullable) is reduced by the memory that the element takes, with its place in
 * a parent; returns NULL if that is more than what is left of it. */
BoshElement *bosh_element_new_with_attributes (const char                *name,
                                               const char                *ns,
                                               const BoshAttributeSource *attributes,
                                               guint                      n_attributes,
                                               gsize                     *budget);

/* Adds text behind all that the element contains. Returns the memory that this
 * took. */
gsize        bosh_element_append_text         (BoshElement *self,
                                               const char  *text,
                                               gsize        length);

/* Adds @child behind all that the element contains, and takes over the reference
 * of the caller. */
void         bosh_element_take_child          (BoshElement *self,
                                               BoshElement *child);

/* Frees the last child, which must exist and have no text behind it. */
void         bosh_element_drop_last_child     (BoshElement                *self);

/* Makes an element immutable for good, with all that it contains. */
void         bosh_element_seal                (BoshElement                *self);

/* The texts of the element and of its children are secret: they are overwritten
 * with zeros when they are freed, and so are those of a copy. To be called while it
 * is mutable, when the texts are there. */
void         bosh_element_mark_secret         (BoshElement                *self);

/* Makes a mutable copy of the whole tree in which the namespace @from is
 * replaced by @to. */
BoshElement *bosh_element_copy_renamed        (BoshElement *self,
                                               const char  *from,
                                               const char  *to);

/* Looks at what the element contains, in document order. Sets one of @child and
 * @text (transfer none), and the other to NULL. Texts and children alternate,
 * beginning with a text, so a text may be empty. Returns FALSE behind the last. */
gboolean     bosh_element_get_nth_node        (BoshElement  *self,
                                               guint         position,
                                               BoshElement **child,
                                               const char  **text);

/* TRUE if the element has this name, and is in the namespace @ns or has none
 * set, so that it takes the one of the place where it will stand. */
gboolean     bosh_element_matches_or_inherits (BoshElement *self,
                                               const char  *name,
                                               const char  *ns);

G_END_DECLS
