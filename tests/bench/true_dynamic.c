/* SPDX-License-Identifier: Apache-2.0 */
/* The second table's command: what an ordinary program costs. */
int main(void)
{
    return 0;
}
